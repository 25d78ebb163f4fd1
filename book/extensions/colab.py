"""Make a copy of each chapter for Colab, and lead the page's button to it.

A copy's first cell installs the package; the chapters themselves stay clean. Links lead to the
published book, and outputs are left out: Colab makes them anew. Run as a script, this file writes
the copies.
"""

import posixpath
import re
import sys
from pathlib import Path
from urllib.parse import urljoin

import nbformat
from links import configured

from llmsizing.deployment.rehearsal import ENGINE, ENGINE_VERSION

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "book/colab"
COLAB_HAS = {"llmsizing", "pandas", "numpy", "matplotlib", "ipywidgets"}  # or the install cell brings
#: What a function of ours needs that no cell imports.
NEEDED_BY = {"rehearse(": f"{ENGINE}=={ENGINE_VERSION}"}
IMPORT = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)\.(?:ipynb|md)(?=[)#])")


def colab_copy(chapter: Path) -> str:
    """The text of a chapter's copy."""
    made = configured()
    notebook = nbformat.read(chapter, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(lambda match: urljoin(made["published"], posixpath.normpath(
                f"notebooks/{match[1]}") + ".html"), cell.source)
        else:
            cell.outputs, cell.execution_count = [], None
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    more = sorted(set(IMPORT.findall(code)) - sys.stdlib_module_names - COLAB_HAS)
    more += [package for call, package in NEEDED_BY.items() if call in code]
    packages = [f'"llmsizing[panels,plots] @ {made["install"]}"', *more]
    notebook.cells.insert(0, nbformat.v4.new_code_cell(
        f"%pip install -q {' '.join(packages)}", id="install"))
    return nbformat.writes(notebook) + "\n"


def copies() -> dict[Path, str]:
    """Each copy's path and text."""
    return {ROOT / FOLDER / chapter.name: colab_copy(chapter)
            for chapter in sorted(ROOT.glob("notebooks/*.ipynb"))}


def lead_to_copy(app, page: str, template: str, context: dict, doctree) -> None:
    groups = [group for group in context.get("header_buttons", ()) if group["type"] == "group"]
    for button in (button for group in groups for button in group["buttons"]):
        if button["text"] == "Colab":
            button["url"] = button["url"].replace("/notebooks/", f"/{FOLDER}/")


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", lead_to_copy, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    (ROOT / FOLDER).mkdir(exist_ok=True)
    for path, text in copies().items():
        path.write_text(text, encoding="utf-8")
