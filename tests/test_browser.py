"""The built book in a real browser: every page as a reader finds it, before Python runs."""

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).resolve().parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [TOC["root"], *(c["file"] for part in TOC["parts"] for c in part["chapters"])]
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 900}}


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


def looks(page) -> Iterator[str]:
    """The page as wide as a phone and as a desk, light and dark, one after the other."""
    for theme, (name, size) in itertools.product(("light", "dark"), SIZES.items()):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size(size)
        page.wait_for_selector(f"html[data-theme={theme}]")
        yield f"{name}, {theme}"


def sound(page, look: str) -> None:
    """Nothing is too wide and nothing shuts anyone out; axe looks at each width and theme once."""
    assert page.evaluate(TOO_WIDE) == [0, []], look
    if look in ("phone, light", "desk, dark"):
        assert findings(page) == [], look


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_quiet_accessible_and_nothing_is_too_wide(visit, path):
    seen = visit(f"{path}.html")
    for look in looks(seen.page):
        sound(seen.page, look)
    assert not [url for url in seen.requests if url.endswith((".bin", "worker.js"))]


def test_the_book_prints_into_one_numbered_pdf_with_an_outline(built, browser, tmp_path):
    """In a process of its own, as `make pdf` does: Playwright runs once in each."""
    code = (f"import runpy; made = runpy.run_path({str(ROOT / 'book' / 'pdf.py')!r}); "
            f"made['print_book']({str(tmp_path / 'book.pdf')!r}, {PAGES[:3]!r}); print(made['order']())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == repr(PAGES)
    pdf = (tmp_path / "book.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/Outlines" in pdf
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= len(PAGES[:3]) + 1
