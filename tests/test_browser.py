"""The built book in a real browser: every page as a reader finds it, before Python runs."""

from pathlib import Path

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).resolve().parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [TOC["root"], *(c["file"] for part in TOC["parts"] for c in part["chapters"])]
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 900}}

every_page = pytest.mark.parametrize("path", PAGES)
each_width = pytest.mark.parametrize("width", SIZES)
both_themes = pytest.mark.parametrize("theme", ["light", "dark"])

#: What reaches beyond the right edge, though neither it nor what holds it scrolls by itself.
TOO_WIDE = """() => {
  const edge = document.documentElement.clientWidth;
  const held = (box) => { for (let each = box; each; each = each.parentElement)
    if (each !== document.body && /auto|scroll|hidden|clip/.test(getComputedStyle(each).overflowX)) return true; };
  const found = [...document.querySelectorAll('.bd-article *')].filter((box) =>
    box.checkVisibility() && box.getBoundingClientRect().right > edge + 1 && !held(box));
  return [document.documentElement.scrollWidth - edge,
          found.slice(0, 3).map((box) => box.outerHTML.slice(0, 120))];
}"""


def findings(page) -> list[str]:
    """What axe calls serious or critical. It may not load style sheets again, by its own reckoning."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{each['id']} ({each['impact']}): {node['html'][:200]} {node['failureSummary'][:300]}"
            for each in found if each["impact"] in ("serious", "critical") for node in each["nodes"]]


@every_page
@each_width
@both_themes
def test_a_page_is_quiet_and_nothing_is_too_wide(visit, path, width, theme):
    seen = visit(f"{path}.html", viewport=SIZES[width], color_scheme=theme)
    assert seen.page.locator("html").get_attribute("data-theme") == theme
    assert seen.page.evaluate(TOO_WIDE) == [0, []]
    assert not [url for url in seen.requests if url.endswith((".bin", "worker.js"))]


@every_page
@both_themes
def test_a_page_is_accessible(visit, path, theme):
    seen = visit(f"{path}.html", viewport=SIZES["phone"], color_scheme=theme)
    assert findings(seen.page) == []
