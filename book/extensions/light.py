"""Take out of each page what it can do without: it is read over a telephone's network too.

The theme draws its icons twice, by a script of half a megabyte and by a font. The font stays, and
is loaded when an icon is shown.
"""

import re
from pathlib import Path

ICON_SCRIPT = re.compile(r'\s*<script src="[^"]*/fontawesome/[^"]*\.js[^"]*"></script>')
FONT_PRELOAD = re.compile(r'\s*<link rel="preload" as="font"[^>]*/fontawesome/[^>]*>')


def lighten(html: str) -> str:
    return FONT_PRELOAD.sub("", ICON_SCRIPT.sub("", html))


def lighten_pages(app, exception) -> None:
    if exception:
        return
    pages = Path(app.outdir)
    for page in pages.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(lighten(text), encoding="utf-8")
    for script in pages.glob("_static/vendor/fontawesome/*/js/*"):
        script.unlink()


def setup(app) -> dict[str, bool]:
    app.connect("build-finished", lighten_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
