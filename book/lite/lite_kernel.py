"""What this book's JupyterLite adds to its kernel, in the reader's browser.

A cell that a browser cannot run starts with ``%%stored`` and shows what it showed when the book was
made: matplotlib, pandas and numpy have no build that could stand in this site.
"""

import json
import sys
import warnings
from pathlib import Path
from types import ModuleType

#: What a browser's Python lacks, by the name that is imported.
LACKING = ("matplotlib", "pandas", "numpy", "gguf", "huggingface_hub")
ELSEWHERE = "Open the chapter in Binder or Colab, or run it on your machine"
STORED = ("<p><small>Stored when the book was made. This cell does not run in a browser: it needs a package"
          " or a program that Python has not there.</small></p>")
CHANGED = ("This is not the book's cell any more, so nothing is stored for it. It does not run in a browser:"
           f" it needs a package or a program that Python has not there. {ELSEWHERE}.")
NOT_INSTALLED = ("This JupyterLite works without a network and installs nothing. It has Python's standard"
                 f" library, ipywidgets and llmsizing. {ELSEWHERE}.")
STARTUP = "import lite_kernel; lite_kernel.extend(get_ipython())\n"
root = ""


class Lacking:
    """Say in a sentence why an import fails; asked last, when nothing else has found the module."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name in LACKING:
            raise ModuleNotFoundError(f"Python in the browser has no {name}. {ELSEWHERE}", name=name)


async def refuse(_arguments: list[str]) -> str:
    """What runs in place of ``%pip``."""
    return f"raise ModuleNotFoundError({NOT_INSTALLED!r})"


def prepare(address: str) -> None:
    """Before the kernel starts: where the site lies, and what the kernel needs to find.

    The kernel asks for piplite, its installer. This stand-in takes its settings and installs nothing.
    """
    global root
    root = address
    top, inner, command = (sys.modules.setdefault(name, ModuleType(name))
                           for name in ("piplite", "piplite.piplite", "piplite.cli"))
    top.piplite, top.cli, command.get_transformed_code = inner, command, refuse
    warnings.filterwarnings("ignore", "Parsing dates")  # of the kernel's own, at each start
    startup = Path.home() / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "book.py").write_text(STARTUP)
    sys.meta_path.append(Lacking)


def extend(shell) -> None:
    """When the kernel runs: teach it ``%%stored``. Completion comes from the objects themselves."""
    shell.Completer.use_jedi = False
    shell.register_magic_function(show_stored, "cell", "stored")


def show_stored(chapter: str, code: str) -> None:
    """Show the outputs that a chapter stores for this cell."""
    from IPython.display import HTML, display
    from pyodide.http import open_url

    outputs = stored_for(json.loads(open_url(f"{root}files/{chapter}").read()), f"%%stored {chapter}\n{code}")
    if outputs is None:
        print(CHANGED)
        return
    display(HTML(STORED))
    for output in outputs:
        if "text" in output:
            print("".join(output["text"]), end="")
        else:
            display({kind: "".join(data) for kind, data in output["data"].items()}, raw=True)


def stored_for(notebook: dict, source: str) -> list[dict] | None:
    """What is stored for the cell that has this source; None where the notebook has no such cell."""
    for cell in notebook["cells"]:
        if "".join(cell["source"]).strip() == source.strip():
            return cell["metadata"].get("stored")
    return None
