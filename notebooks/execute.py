"""Execute every notebook in a fresh kernel and store its outputs, stripped of what varies by run.

Usage: python notebooks/execute.py [NOTEBOOK ...]
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def normalised(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop counts, timing, widget ids and kernel versions: they differ from run to run."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = None
            output.get("data", {}).pop(WIDGET, None)
    notebook.metadata = nbformat.from_dict({
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    })
    return notebook


def execute(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": HERE}}).execute()
    nbformat.write(normalised(notebook), path)


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or sorted(HERE.glob("*.ipynb"))):
        print(f"Executing {path.name}", flush=True)
        execute(path)
