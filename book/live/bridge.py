"""Run a chapter's cells in the reader's browser, and move the panels that they make.

A panel is any object with ``at_once`` (HTML), ``later`` (HTML that is asked for when a reader taps),
``state()`` (plain data for the page to draw) and ``move(settings)``. Nothing here knows the book:
the page hands in the notebook's text, and a function to call with each answer.
"""

import ast
import gc
import json
import sys
from collections.abc import Callable
from types import ModuleType

panels: list = []


def stand_in_for_ipython() -> None:
    """Give ipywidgets the few names that it imports from IPython, which a page has not."""
    nothing = {"get_ipython": lambda: None, "display": lambda *_, **__: None,
               "clear_output": lambda *_, **__: None, "InteractiveShell": type("InteractiveShell", (), {})}
    for name in ("IPython", "IPython.display", "IPython.core", "IPython.core.interactiveshell"):
        module = sys.modules[name] = ModuleType(name)
        module.__dict__.update(nothing)


def needed_cells(notebook: str) -> list[str]:
    """The code cells that the page's panels need, in order.

    A panel's cell is one whose stored output holds a panel. It needs the cells above that bind a
    name which it uses, and what those need. Cells tagged ``static`` never run in a page.
    """
    code = [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"
            and "static" not in cell["metadata"].get("tags", [])]
    sources = ["".join(cell["source"]) for cell in code]
    bound, used = zip(*map(names_of, sources), strict=True)
    needed = {at for at, cell in enumerate(code) if "data-panel=" in json.dumps(cell["outputs"])}
    while True:
        wanted = set().union(*(used[at] for at in needed))
        more = {at for at in range(max(needed, default=0)) if bound[at] & wanted} - needed
        if not more:
            return [sources[at] for at in sorted(needed)]
        needed |= more


def names_of(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds, and those that it uses."""
    bound, used = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
    return bound, used


def run(source: str, names: dict[str, object]) -> object:
    """Run a cell and return what its last line is worth, as a notebook would show it."""
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    return eval(compile(last, "<cell>", "eval"), names) if last else None


def open_chapter(notebook: str, count: int, tell: Callable[[str], None]) -> None:
    """Run the cells that the page's panels need, and tell each panel's state."""
    gc.disable()  # what a start makes stays: looking through it again and again finds no garbage
    names: dict[str, object] = {"__name__": "__main__"}
    for source in needed_cells(notebook):
        shown = run(source, names)
        if hasattr(shown, "move") and hasattr(shown, "state"):
            panels.append(shown)
            tell(answer(len(panels) - 1))
    gc.freeze()
    gc.enable()
    if len(panels) != count:
        raise LookupError(f"The page has {count} panels, its notebook makes {len(panels)}.")


def answer(place: int) -> str:
    """What the page needs to draw a panel, as JSON."""
    panel = panels[place]
    return json.dumps({"panel": place, "result": panel.at_once, **panel.state()})


def move(place: int, settings: str) -> str:
    """Move a panel's controls to where the page has them, and answer with its new state."""
    panels[place].move(json.loads(settings))
    return answer(place)


def later(place: int) -> str:
    """What stands one tap away in a panel's result."""
    return panels[place].later
