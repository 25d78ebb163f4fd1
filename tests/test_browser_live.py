"""Panels in a real browser: alive, moved by every means, and when Python cannot start."""

import gzip
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from test_browser import SIZES, looks, sound
from test_live import CHAPTERS

ROOT = Path(__file__).resolve().parents[1]
by_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
HALF = gzip.compress(bytes(range(256)) * 9999)[:500]  # where the network broke off
FIRST = f"notebooks/{CHAPTERS[0].stem}.html"
LIVE = ".sizing-panel[data-live=live]"
FAILED = ".sizing-panel[data-live=failed]"
PATIENCE = 90_000  # milliseconds; a slow machine may start Python slowly

#: What a browser makes of HTML that it is given.
PARSED = "(html) => Object.assign(document.createElement('div'), { innerHTML: html }).innerHTML"
#: Where each control of a panel stands, by name, as the package counts it.
STANDS = """(box) => Object.fromEntries([...box.querySelectorAll('.live-field')].map((field, at) => {
  const { name, kind } = JSON.parse(box.dataset.panel).controls[at];
  const input = field.querySelector('select, textarea, input');
  const radios = [...field.querySelectorAll('[type=radio]')];
  return [name, kind === 'choice' ? input.selectedIndex : kind === 'check' ? input.checked
    : kind === 'buttons' ? radios.findIndex((radio) => radio.checked)
    : ['stops', 'range', 'number'].includes(kind) ? input.valueAsNumber : input.value];
}))"""


@pytest.fixture
def package(script):
    """The panels that a chapter makes outside the page, in this Python."""

    def made(path: Path) -> list:
        bridge = script("book/live/bridge.py")
        bridge.panels = []
        text = path.read_text(encoding="utf-8")
        bridge.open_chapter(text, text.count("data-panel="), lambda state: None)
        return bridge.panels

    return made


def settled(page, box) -> None:
    """Wait until a panel's result holds for its controls."""
    page.wait_for_function("(box) => box.dataset.live === 'live' && !('stale' in box.dataset)",
                           arg=box.element_handle(), timeout=PATIENCE)


def agrees(page, box, panel) -> None:
    """The page shows what the package answers in this Python for where the controls stand."""
    settled(page, box)
    panel.move(box.evaluate(STANDS))
    assert box.locator(".sizing-result").inner_html() == page.evaluate(PARSED, panel.at_once)


def opened(page, box) -> list:
    """A panel's controls, those one tap away too."""
    for summary in box.locator(".live-more > summary").all():
        summary.click()
    return list(zip(json.loads(box.get_attribute("data-panel"))["controls"],
                    box.locator(".live-field").all(), strict=True))


def press(page, field, kind: str, state: dict) -> None:
    """Move a control by keyboard alone, to where it was not."""
    field.locator("input, select, textarea").first.focus()
    if kind == "choice":
        page.keyboard.press("ArrowUp" if state["at"] else "ArrowDown")
    elif kind == "buttons":
        page.keyboard.press("ArrowRight")
    elif kind in ("stops", "range"):
        page.keyboard.press("ArrowLeft" if state["at"] != state.get("min", 0) else "ArrowRight")
    elif kind == "number":
        page.keyboard.press("ArrowUp")
    elif kind == "check":
        page.keyboard.press("Space")
    else:
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("{" if kind == "long text" else "Qwen3-8B-Q8_0.gguf")


#: How far along its way a slider stands, from 0 to 1.
ALONG = "(slider) => (slider.value - slider.min) / (slider.max - slider.min)"


def point(page, field, kind: str, *, touch: bool) -> None:
    """Move a control by mouse or finger, to where it is not."""
    hit = page.touchscreen.tap if touch else page.mouse.click
    field.evaluate("(each) => each.scrollIntoView({ block: 'center', behavior: 'instant' })")
    if kind in ("stops", "range"):
        slider = field.locator("input")
        box = slider.bounding_box()
        hit(box["x"] + box["width"] * (.03 if slider.evaluate(ALONG) > .5 else .97), box["y"] + box["height"] / 2)
    elif kind == "choice":  # the list itself is the system's, outside the page
        select = field.locator("select")
        last = select.locator("option").count() - 1
        select.select_option(index=0 if select.evaluate("(each) => each.selectedIndex") == last else last)
    elif kind == "buttons":
        box = field.locator("label:not(:has(:checked))").last.bounding_box()
        hit(box["x"] + 5, box["y"] + box["height"] / 2)
    else:
        box = field.locator("input, textarea").bounding_box()
        hit(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        if kind != "check":
            page.keyboard.press("ControlOrMeta+a")
            page.keyboard.type("7" if touch else "8")


@by_chapter
def test_every_control_moves_and_the_page_says_what_the_package_says(visit, package, path):
    page = visit(f"notebooks/{path.stem}.html", viewport=SIZES["phone"], has_touch=True).page
    panels = package(path)
    boxes = page.locator(".sizing-panel").all()
    assert len(boxes) == len(panels)
    for box, panel in zip(boxes, panels, strict=True):
        for state, field in opened(page, box):
            for by in ("keyboard", "mouse", "touch"):
                before = box.evaluate(STANDS)[state["name"]]
                if by == "keyboard":
                    press(page, field, state["kind"], {**state, "at": before})
                else:
                    point(page, field, state["kind"], touch=by == "touch")
                agrees(page, box, panel)
                assert box.evaluate(STANDS)[state["name"]] != before, f"{state['name']} by {by}"


@by_chapter
def test_a_live_page_is_accessible_and_nothing_is_too_wide(visit, path):
    page = visit(f"notebooks/{path.stem}.html").page
    for box in page.locator(".sizing-panel").all():
        opened(page, box)
        box.locator(".live-share > summary").click()
    page.locator(".live-start").first.click()
    page.wait_for_selector(LIVE, timeout=PATIENCE)
    assert page.locator(".sizing-panel").count() == page.locator(LIVE).count()
    for look in looks(page):
        sound(page, look)


@by_chapter
def test_a_panel_stands_there_at_once_and_keeps_what_was_touched(visit, path):
    """Before Python is there: the stored result, the controls as stored, a word on what it costs."""
    seen = visit(f"notebooks/{path.stem}.html")
    page = seen.page
    for box in page.locator(".sizing-panel").all():
        stored = {each["name"]: each["at"] for each in json.loads(box.get_attribute("data-panel"))["controls"]}
        assert box.evaluate(STANDS) == stored
        assert box.locator(".sizing-result").inner_text().strip()
        assert "MB, starts in this page" in box.locator(".live-status").inner_text()
        for field in box.locator(".live-field").all():
            assert field.locator("label, legend").first.text_content().strip()
    assert not [url for url in seen.requests if ".bin" in url or "worker.js" in url]


def test_progress_is_told_and_the_touched_control_keeps_its_value(visit):
    seen = visit(FIRST)
    page, box = seen.page, seen.page.locator(".sizing-panel").first
    page.route("**/*.bin", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.evaluate("""() => { window.told = []; new MutationObserver(() => told.push(
      document.querySelector('.live-status').textContent, document.querySelector('.live-count').textContent))
      .observe(document.querySelector('.live-foot'), { subtree: true, childList: true, characterData: true }); }""")
    slider = box.locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    at = slider.input_value()
    assert box.get_attribute("data-stale") == "yes"
    settled(page, box)
    told = page.evaluate("told")
    assert {"Loading Python into this page", "Starting Python", "Running the chapter's cells",
            "Live: Python runs in this page."} <= set(told)
    assert any(" of 6." in text and text.endswith(" MB") for text in told)
    assert slider.input_value() == at and slider.evaluate("(each) => each === document.activeElement")


def test_a_result_is_told_politely_once_the_reader_pauses(visit):
    page = visit(FIRST).page
    box = page.locator(".sizing-panel").first
    heard = box.locator(".live-heard")
    assert heard.get_attribute("aria-live") == "polite" and heard.inner_text() == ""
    box.locator("select").first.select_option("Qwen3-0.6B")
    settled(page, box)
    page.wait_for_function("document.querySelector('.live-heard').textContent !== ''")
    assert "Qwen3-0.6B at Q4_K_M" in heard.inner_text() and "It fits" in heard.inner_text()


def test_what_takes_long_comes_when_a_reader_taps_and_follows_the_controls(visit, package):
    page, (panel,) = visit(FIRST, viewport=SIZES["phone"], has_touch=True).page, package(CHAPTERS[0])
    box = page.locator(".sizing-panel").first
    box.locator("select").first.select_option("Qwen3-30B-A3B")
    agrees(page, box, panel)
    heading = box.locator(".sizing-result summary")
    assert heading.is_visible() and box.locator(".sizing-result details[data-later]").count() == 1
    heading.tap()
    page.wait_for_selector(".sizing-result details[open]:not([data-later]) li", timeout=PATIENCE)
    assert box.locator(".sizing-result").inner_html().replace(" open=\"\"", "") == page.evaluate(PARSED, panel.result)
    box.locator("select").first.select_option("Qwen3-14B")
    box.locator("input[type=range]").first.press("End")
    settled(page, box)
    page.wait_for_selector(".sizing-result details[open]:not([data-later]) li", timeout=PATIENCE)
    panel.move(box.evaluate(STANDS))
    assert box.locator(".sizing-result").inner_html().replace(" open=\"\"", "") == page.evaluate(PARSED, panel.result)


def test_a_second_page_loads_nothing_again(visit, site):
    seen = visit(FIRST)
    page = seen.page
    page.locator(".live-start").first.click()
    page.wait_for_selector(LIVE, timeout=PATIENCE)
    page.goto(f"{site}notebooks/{CHAPTERS[1].stem}.html", wait_until="networkidle")
    fetched = []
    page.context.on("response", lambda answer: fetched.append(
        (answer.url, answer.request.sizes()["responseBodySize"])) if ".bin" in answer.url else None)
    page.locator(".live-start").first.click()
    page.wait_for_selector(LIVE, timeout=PATIENCE)
    assert len(fetched) == 5 and all(size <= 0 for _, size in fetched)  # from the cache: no body


def test_an_address_restores_a_panel_and_a_button_copies_it(visit):
    page = visit(f"{FIRST}?model=qwen3-8b&context=32768&weights=Q8_0").page
    box = page.locator(".sizing-panel").first
    settled(page, box)
    result = box.locator(".sizing-result")
    assert "Qwen3-8B at Q8_0, 32,768 tokens of context" in result.inner_text()
    box.locator(".live-share > summary").click()
    box.get_by_role("button", name="Copy link").click()
    copied = box.get_by_label("Copied text").input_value()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(copied).query).items()}
    settings = {"model": "Qwen3-8B", "context": "32768", "weights": "Q8_0", "device": "RTX 3060 12 GB"}
    assert settings.items() <= asked.items()
    again = visit(copied.split("/html/")[1]).page
    settled(again, again.locator(".sizing-panel").first)
    assert again.locator(".sizing-result").first.inner_html() == result.inner_html()


def test_an_address_that_asks_for_what_is_not_there_is_answered(visit):
    page = visit(f"{FIRST}?model=GPT-9").page
    assert "asks for model=GPT-9, which this panel has not" in page.locator(".live-status").first.inner_text()


def test_a_panel_stands_in_another_site_by_iframe(visit, site):
    page = visit(FIRST).page
    box = page.locator(".sizing-panel").first
    box.locator(".live-share > summary").click()
    box.get_by_role("button", name="Copy code").click()
    code = box.get_by_label("Copied text").input_value()
    page.set_content(f"<h1>Another site</h1>{code}")
    frame = page.frame_locator("iframe")
    frame.locator("select").first.select_option("Qwen3-0.6B")
    frame.locator(f"{LIVE}:not([data-stale])").first.wait_for(timeout=PATIENCE)
    assert "Qwen3-0.6B" in frame.locator(".sizing-result").first.inner_text()
    assert not frame.locator("h1").first.is_visible()


def test_a_reader_who_saves_data_is_asked_first(visit):
    seen = visit(FIRST, prepare="Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    page, box = seen.page, seen.page.locator(".sizing-panel").first
    box.locator("select").first.select_option("Qwen3-0.6B")
    assert "press Make live" in box.locator(".live-status").inner_text()
    assert not [url for url in seen.requests if ".bin" in url]
    box.locator(".live-start").click()
    settled(page, box)
    assert "Qwen3-0.6B" in box.locator(".sizing-result").inner_text()


def test_a_reader_who_wants_no_motion_gets_none(visit):
    page = visit(FIRST, reduced_motion="reduce").page
    moving = "(each) => { const at = getComputedStyle(each); return [at.transitionDuration, at.animationName]; }"
    for box in page.locator(".sizing-panel, .sizing-panel *").all()[:200]:
        assert box.evaluate(moving) in (["0s", "none"], ["1e-05s", "none"]), box.evaluate("(each) => each.outerHTML")[:200]


def test_nothing_lies_over_a_panels_controls_on_a_phone(visit):
    """The theme's way back to the top appears when a reader scrolls up."""
    page = visit(FIRST, viewport=SIZES["phone"], has_touch=True).page
    page.mouse.wheel(0, 4000)
    page.wait_for_function("scrollY > 500")
    box = page.locator(".sizing-panel").first
    box.scroll_into_view_if_needed()
    page.mouse.wheel(0, -60)
    page.wait_for_timeout(300)
    over = """(each) => { each.scrollIntoView({ block: 'end', behavior: 'instant' });
      const { left, right, top, bottom } = each.getBoundingClientRect();
      const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return each.contains(found); }"""
    for field in box.locator(".live-controls > .live-field, .live-start, .live-share").all():
        assert field.evaluate(over)
    assert not page.locator("#pst-back-to-top").is_visible()


def whole(box, stored: str) -> None:
    """A panel that failed is what the page stores: result and settings belong together."""
    assert box.locator(".sizing-result").inner_html() == stored
    settings = {each["name"]: each["at"] for each in json.loads(box.get_attribute("data-panel"))["controls"]}
    assert box.evaluate(STANDS) == settings and box.get_attribute("data-stale") is None


@pytest.mark.parametrize(("file", "answer", "told"), [
    ("**/packages-zip-*.bin", {"status": 404}, "The server has no packages-zip-"),
    ("**/python-zip-*.bin", None, "The network broke off at python-zip-"),
    ("**/pyodide-asm-wasm-*.bin", {"status": 200, "body": HALF}, " did not arrive whole."),
    ("**/_sources/**", {"status": 404}, "The server has no 00_"),
    ("**/worker.js", {"status": 404}, "Python did not start."),
])
def test_a_start_that_fails_says_why_and_leaves_the_page_whole(visit, file, answer, told):
    page = visit(FIRST, expected="Failed to load resource|wasm instantiation|WebAssembly compilation").page
    box = page.locator(".sizing-panel").first
    stored = box.locator(".sizing-result").inner_html()
    page.context.route(file, lambda route: route.fulfill(**answer) if answer else route.abort())
    box.locator("select").first.select_option("Qwen3-0.6B")
    page.wait_for_selector(FAILED, timeout=PATIENCE)
    assert told in box.locator(".live-status").inner_text()
    whole(box, stored)
    page.context.unroute_all(behavior="ignoreErrors")
    box.get_by_role("button", name="Try again").click()
    settled(page, box)
    assert "Qwen3-0.6B" in box.locator(".sizing-result").inner_text()


def test_without_webassembly_the_page_says_so_and_is_whole(visit):
    page = visit(FIRST, prepare="delete globalThis.WebAssembly").page
    assert "needs WebAssembly, which is switched off" in page.locator(".sizing-still").first.inner_text()
    assert page.locator(".sizing-panel > .sizing-labels").first.is_visible()
    assert page.locator(".live-field").count() == 0


@by_chapter
def test_without_javascript_the_page_is_whole(visit, path):
    page = visit(f"notebooks/{path.stem}.html", java_script_enabled=False).page
    for box in page.locator(".sizing-panel").all():
        assert box.locator(".sizing-result").inner_text().strip()
        settings = box.locator("xpath=./ul").inner_text()
        controls = json.loads(box.get_attribute("data-panel"))["controls"]
        assert all(each["label"] in settings for each in controls if each["at"] != "")
        assert "stands still here" in box.locator(".sizing-still").inner_text()


def test_opened_as_a_file_the_page_is_whole_and_says_how_to_go_live(browser, built):
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((ROOT / "_build" / "html" / FIRST).as_uri())
    told = page.locator(".sizing-still").first.inner_text()
    assert "python -m http.server" in told and not errors
    assert page.locator(".sizing-panel > .sizing-labels").first.is_visible()
    page.close()


def test_a_classrooms_plain_server_is_enough(browser, site):
    """By another machine's address: the browser trusts it less than this machine's own."""
    page = browser.new_page()
    page.goto(site.replace("127.0.0.1", "classroom.test") + FIRST, wait_until="networkidle")
    assert not page.evaluate("isSecureContext")
    box = page.locator(".sizing-panel").first
    box.locator("select").first.select_option("Qwen3-0.6B")
    settled(page, box)
    assert "Qwen3-0.6B" in box.locator(".sizing-result").inner_text()
    box.locator(".live-share > summary").click()
    box.get_by_role("button", name="Copy link").click()
    assert box.get_by_label("Copied text").input_value().startswith("http://classroom.test")
    page.close()


def test_on_paper_a_panel_shows_its_settings_and_no_controls(visit):
    page = visit(FIRST).page
    page.emulate_media(media="print")
    box = page.locator(".sizing-panel").first
    assert box.locator(":scope > .sizing-labels").is_visible() and not box.locator(".live-field").first.is_visible()
