"""Bring the panels of each page to life: the part that Sphinx runs.

A page whose body holds a panel gets the script and the styles; the finished book gets the files
that they need. Nothing is taken from another host.
"""

import re
import sys
from pathlib import Path

from sphinx.errors import ExtensionError

sys.path.insert(0, str(Path(__file__).resolve().parent))

import assets  # noqa: E402

FOLDER = "_live"
#: What myst-nb writes for widgets of its own; the panels carry their state themselves.
WIDGET_STATE = re.compile(
    r'<script type="application/vnd\.jupyter\.widget-state\+json">.*?</script>', re.DOTALL)


def add_script(app, page: str, template: str, context: dict, doctree) -> None:
    if "data-panel=" not in context.get("body", ""):
        return
    at = context["pathto"]
    context["metatags"] += (
        f'<link rel="stylesheet" href="{at(f"{FOLDER}/live.css", 1)}">'
        f'<script defer src="{at(f"{FOLDER}/live.js", 1)}"'
        f' data-notebook="{at("_sources/" + context["sourcename"], 1)}"></script>')


def write_assets(app, exception) -> None:
    if exception or app.builder.name != "html":
        return
    pages = Path(app.outdir)
    try:
        size = assets.write(pages / FOLDER, pages.parent / "live")
    except assets.NotMade as error:
        raise ExtensionError(f"The panels cannot be brought to life. {error}") from error
    print(f"Panels come alive with {size / 1e6:.2f} MB.")


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", add_script, priority=950)
    app.connect("build-finished", write_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
