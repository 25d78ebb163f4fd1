"""The chapters as JupyterLite opens them: made from the notebooks when the book is built.

A link to a chapter opens it there, one to a page leads to the published book. Outputs are left out,
since Python makes them anew. It cannot for a cell tagged ``static``: its outputs lie in the cell's
metadata, where lite_kernel.py finds them, because JupyterLab shows no drawing that it has not run.
"""

import posixpath
import re
from pathlib import Path

import nbformat

PAGE = re.compile(r"(?<=\]\()(?!https?:|#)(\.\./[^)#\s]+)\.md(?=[)#])")


def lite_copy(chapter: Path, published: str) -> str:
    """The text of a chapter's copy."""
    notebook = nbformat.read(chapter, as_version=4)
    notebook.metadata.kernelspec = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = PAGE.sub(lambda match: published + posixpath.normpath(
                f"notebooks/{match[1]}") + ".html", cell.source)
        else:
            if "static" in cell.metadata.get("tags", ()):
                cell.source = f"%%stored {chapter.name}\n{cell.source}"
                cell.metadata.stored = cell.outputs
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(notebook) + "\n"


def copies(folder: Path, published: str) -> dict[str, str]:
    """Each copy's text by its name."""
    return {chapter.name: lite_copy(chapter, published) for chapter in sorted(folder.glob("*.ipynb"))}
