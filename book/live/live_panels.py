"""Bring the panels of each page to life: the part that Sphinx runs.

A page whose body holds a panel gets the script and the styles; the finished book gets the files
that they need. Nothing is taken from another host.
"""

import sys
from pathlib import Path

from sphinx.errors import ExtensionError

sys.path.insert(0, str(Path(__file__).resolve().parent))

import assets  # noqa: E402

FOLDER = "_live"

def make_assets(app) -> None:
    try:
        app.live_assets = assets.made(Path(app.outdir).parent / "live")
    except assets.NotMade as error:
        raise ExtensionError(f"The panels cannot be brought to life. {error}") from error


def add_script(app, page: str, template: str, context: dict, doctree) -> None:
    if "data-panel=" not in context.get("body", ""):
        return
    at = context["pathto"]
    context["metatags"] += (
        f'<link rel="stylesheet" href="{at(f"{FOLDER}/live.css", 1)}">'
        f'<script defer src="{at(f"{FOLDER}/live.js", 1)}"'
        f' data-notebook="{at("_sources/" + context["sourcename"], 1)}"'
        f' data-bytes="{assets.size(app.live_assets)}"></script>')


def drop_widget_state(app, page: str, template: str, context: dict, doctree) -> None:
    context["script_files"] = [script for script in context["script_files"]
                               if "widget-state" not in str(getattr(script, "attributes", ""))]


def publish_assets(app, exception) -> None:
    if exception is None:
        assets.publish(app.live_assets, Path(app.outdir) / FOLDER)


def setup(app) -> dict[str, bool]:
    app.connect("builder-inited", make_assets)
    app.connect("html-page-context", add_script, priority=950)
    app.connect("html-page-context", drop_widget_state, priority=950)
    app.connect("build-finished", publish_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
