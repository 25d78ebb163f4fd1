"""Every chapter in the book's own JupyterLite: opened, run from top to bottom, a control moved."""

from pathlib import Path

import pytest
from test_browser_live import PARSED, package
from test_lite import NOTEBOOKS

from llmsizing.panels.controls import SELECTIONS, control_kind

ROOT = Path(__file__).resolve().parents[1]
FIRST = NOTEBOOKS[0].stem
PATIENCE = 90_000
#: What JupyterLite says of itself at a start, and what a browser says of a plain address.
EXPECTED = "^console: (Disabling|Skipping|Menu entry|Uploader|ServiceWorkers not|Clipboard API|Pyodide contents)"
#: Whether each code cell has run.
ALL_RAN = r"""() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
  .every((prompt) => /\[\d+\]/.test(prompt.textContent))"""


def address(name: str) -> str:
    return f"lite/notebooks/index.html?path={name}.ipynb"


def run_all(page) -> None:
    """Run every cell, as a reader does, and wait until the last has run without an error."""
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(ALL_RAN, timeout=PATIENCE)
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").all_inner_texts() == []


def move(page, box, controls: dict) -> tuple[str, int]:
    """Move a panel's slider, or its first list where it has none; return what moved and where to."""
    kinds = {name: control_kind(control) for name, control in controls.items()}
    name = next((name for name, kind in kinds.items() if kind in ("stops", "range")), None)
    if name:
        handle = box.locator(".widget-slider .noUi-handle").first
        handle.focus()
        page.keyboard.press("ArrowRight")
        control = controls[name]
        return name, control.index + 1 if kinds[name] in SELECTIONS else control.value + control.step
    name = next(name for name, kind in kinds.items() if kind == "choice")
    at = (controls[name].index + 1) % len(controls[name].options)
    box.locator("select").first.select_option(index=at)
    return name, at


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_whole_chapter_runs_and_a_panel_says_what_the_package_says(visit, package, path):
    page = visit(address(path.stem), expected=EXPECTED).page
    run_all(page)
    panels = package(path)
    for box, panel in list(zip(page.locator(".widget-vbox:has(> .widget-html)").all(), panels, strict=True))[:1]:
        name, at = move(page, box, panel.controls)
        panel.move({name: at})
        page.wait_for_function("([box, text]) => box.innerHTML === text", timeout=PATIENCE, arg=[
            box.locator(".widget-html-content").first.element_handle(), page.evaluate(PARSED, panel.result)])
    stored = page.locator(".jp-CodeCell", has_text="%%stored")
    assert stored.count() == path.read_text(encoding="utf-8").count('"static"')
    for cell in stored.all():
        assert "Stored when the book was made" in cell.locator(".jp-OutputArea").inner_text()


def test_links_lead_to_other_chapters_and_to_this_copy_of_the_book(visit, site):
    page = visit(address(FIRST), expected=EXPECTED).page
    for link, target in (("02_rule_of_thumb.ipynb", "lite/notebooks/index.html?path=02_rule_of_thumb.ipynb"),
                         ("book/glossary.html", "book/glossary.html")):
        with page.context.expect_page() as opened:
            page.locator(f".jp-RenderedMarkdown a[href*='{link}']").first.click()
        assert opened.value.url == f"{site}{target}"


def test_by_plain_http_a_notebook_runs_and_the_page_says_what_does_not(browser, site):
    page = browser.new_page()
    page.goto(site.replace("127.0.0.1", "classroom.test") + address(FIRST))
    note = page.get_by_role("status").filter(has_text="plain http")
    assert "https or on its own machine (localhost)" in note.inner_text()
    note.get_by_role("button", name="Close").click()
    run_all(page)
    assert note.count() == 0
    page.close()


def test_opened_as_a_file_the_page_says_how_to_run_a_notebook(browser, built):
    page = browser.new_page()
    page.goto((ROOT / "_build" / "html" / "lite" / "notebooks" / "index.html").as_uri())
    assert "python -m http.server" in page.get_by_role("status").inner_text()
    page.close()
