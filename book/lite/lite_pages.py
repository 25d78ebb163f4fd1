"""Put JupyterLite into the book, and a button that opens it on each chapter: the part that Sphinx runs."""

import json
import sys
from pathlib import Path
from urllib.parse import quote

from sphinx.errors import ExtensionError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "live"), str(HERE.parent / "extensions")]

import assets  # noqa: E402
import lite_site  # noqa: E402
from links import configured  # noqa: E402
from lite_chapters import copies  # noqa: E402

FOLDER = "lite"
CHAPTERS = "notebooks"


def make_site(app) -> None:
    try:
        app.lite_site = lite_site.made(Path(app.outdir).parent / "live", app.live_assets)
    except assets.NotMade as error:
        raise ExtensionError(f"JupyterLite cannot be made. {error}") from error


def add_button(app, page: str, template: str, context: dict, doctree) -> None:
    folder, _, name = page.rpartition("/")
    for group in context.get("header_buttons", ()):
        if folder == CHAPTERS and group.get("label") == "launch-buttons":
            group["buttons"].insert(0, {  # first: it needs no account and no network
                "type": "link", "text": "JupyterLite", "icon": "fas fa-laptop-code",
                "tooltip": "Open in JupyterLite, in this browser",
                "url": context["pathto"](f"{FOLDER}/notebooks/index.html", 1) + f"?path={quote(name)}.ipynb"})


def publish_site(app, exception) -> None:
    if exception is None:
        published = configured()["published"]
        script = (HERE / "page.js").read_text(encoding="utf-8").replace("PUBLISHED", json.dumps(published))
        head = f'<link rel="icon" href="../static/favicons/favicon.ico"><script>{script}</script>'
        lite_site.publish(app.lite_site, app.live_assets, Path(app.outdir) / FOLDER,
                          copies(ROOT / CHAPTERS, published), head)


def setup(app) -> dict[str, bool]:
    app.connect("builder-inited", make_site, priority=600)
    app.connect("html-page-context", add_button, priority=600)
    app.connect("build-finished", publish_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
