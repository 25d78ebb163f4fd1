"""The book's own JupyterLite: a chapter opened, run from top to bottom, a slider moved; all others run."""

from pathlib import Path

from test_browser_live import PARSED, package
from test_lite import NOTEBOOKS

from llmsizing.panels.controls import control_kind

ROOT = Path(__file__).resolve().parents[1]
FIRST = NOTEBOOKS[0].stem
PATIENCE = 90_000
#: What JupyterLite says of itself at a start, and what a browser says of a plain address.
EXPECTED = ("^console: (Disabling|Skipping|Menu entry|Uploader|ServiceWorkers not|Clipboard API|Pyodide contents"
            "|Item with index)")
#: Runs each chapter's copy as the site has it, in the page's own kernel.
EVERY_CHAPTER = f"""
import IPython.display, json, lite_kernel, pyodide.http
shell, names = get_ipython(), {[path.name for path in NOTEBOOKS]!r}
for name in names:
    shell.run_line_magic("reset", "-f")
    for cell in json.load(pyodide.http.open_url(lite_kernel.root + "files/" + name))["cells"]:
        if cell["cell_type"] == "code":
            ran = shell.run_cell("".join(cell["source"]))
            IPython.display.clear_output()
            ran.raise_error()
print(len(names), "chapters ran")
"""
#: Whether a code cell has run, and whether all have.
RAN = r"(cell) => /\[\d+\]/.test(cell.querySelector('.jp-InputPrompt').textContent)"
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
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").all_text_contents() == []


def run(page, code: str) -> str:
    """Run one line in a new cell at the end, as a reader does, and return what it printed last."""
    page.locator(".jp-CodeCell").last.click()
    for key in ("Escape", "b", "Enter"):
        page.keyboard.press(key)
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")
    cell = page.locator(".jp-CodeCell", has_text=code[:30])
    page.wait_for_function(RAN, arg=cell.element_handle(), timeout=PATIENCE)
    return cell.locator(".jp-OutputArea-output").last.inner_text().strip()


def test_a_whole_chapter_runs_and_its_slider_moves(visit, package):
    """The number in the page is what the package answers in this Python."""
    page = visit(address(FIRST), expected=EXPECTED).page
    run_all(page)
    panel = package(NOTEBOOKS[0])[0]
    page.locator(".widget-slider .noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    name = next(name for name, control in panel.controls.items() if control_kind(control) == "stops")
    panel.move({name: panel.controls[name].index + 1})
    page.wait_for_function("([box, html]) => box.innerHTML === html", timeout=PATIENCE, arg=[
        page.locator(".widget-html-content").first.element_handle(), page.evaluate(PARSED, panel.result)])
    stored = page.locator(".jp-CodeCell", has_text="%%stored")
    assert stored.count() == NOTEBOOKS[0].read_text(encoding="utf-8").count('"static"') > 0
    for cell in stored.all():
        assert "Stored when the book was made" in cell.locator(".jp-OutputArea").text_content()


def test_every_chapter_runs_in_its_kernel(visit):
    """Cell by cell, each chapter with no names from another; an error ends it."""
    page = visit(address(FIRST), expected=EXPECTED).page
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=PATIENCE)
    assert run(page, f"exec({EVERY_CHAPTER!r}, {{}})") == f"{len(NOTEBOOKS)} chapters ran"


def test_links_lead_to_other_chapters_and_to_this_copy_of_the_book(visit, site):
    page = visit(address(FIRST), expected=EXPECTED).page
    for link, target in (("02_rule_of_thumb.ipynb", "lite/notebooks/index.html?path=02_rule_of_thumb.ipynb"),
                         ("book/glossary.html", "book/glossary.html")):
        with page.context.expect_page() as opened:
            page.locator(f".jp-RenderedMarkdown a[href*='{link}']").first.click()
        opened.value.wait_for_url(f"{site}{target}", timeout=PATIENCE)


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
