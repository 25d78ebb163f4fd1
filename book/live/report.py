"""Measure what the live panels cost: bytes, seconds to live, milliseconds for a step.

Run it on an idle machine after `make book`. It reads the built book through a plain server.
"""

import gzip
import statistics
from pathlib import Path

from browser import launch, served
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "_build" / "html"
AIMS = {"static page, kB gzipped": 900, "loaded before live, MB": 7, "cold, s": 4,
        "second page, s": 2, "step, 95th percentile, ms": 50}
LIVE = ".sizing-panel[data-live=live]"
#: From the first touch until Python has answered it, in milliseconds.
TO_LIVE = """() => performance.getEntriesByName('live-shown').at(-1).startTime
             - performance.getEntriesByName('live-touched')[0].startTime"""
#: Move a slider one place and wait for the answer to be painted.
STEP = """([slider, at]) => new Promise((done) => {
  const panel = slider.closest('.sizing-panel'), started = performance.now();
  const painted = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
  new MutationObserver((_, watch) => {
    if (!('stale' in panel.dataset)) { watch.disconnect(); painted(); }
  }).observe(panel, { attributes: true, attributeFilter: ['data-stale'] });
  slider.value = at;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
})"""


def touched(page) -> float:
    """Press the first control that can be, and return the seconds until its answer shows."""
    first = page.locator(".live-controls input, .live-controls select").first
    first.focus()
    page.keyboard.press("ArrowUp" if first.get_attribute("type") == "range" else "ArrowDown")
    page.wait_for_selector(f"{LIVE}:not([data-stale])", timeout=60_000)
    return page.evaluate(TO_LIVE) / 1000


def steps(page) -> list[float]:
    """Milliseconds of each step of each slider of the page, up and down."""
    taken = []
    for slider in page.query_selector_all(".live-controls input[type=range]"):
        first, last = (int(float(slider.get_attribute(end))) for end in ("min", "max"))
        places = range(first, last + 1, max(1, (last - first) // 20))
        slider.evaluate("(slider) => { for (let box = slider; box; box = box.parentElement)"
                        " if (box.tagName === 'DETAILS') box.open = true; }")
        for at in (*places, *reversed(places)):
            if float(slider.input_value()) != at:
                taken.append(page.evaluate(STEP, [slider, str(at)]))
    return taken


def measure(browser, base: str, chapter: str) -> dict[str, float]:
    """All numbers of one chapter, in a browser that has seen nothing yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, static, live = context.new_page(), [], []
    page.on("response", lambda answer: static.append(answer.url))
    page.goto(f"{base}{chapter}.html", wait_until="networkidle")
    here = [PAGES / url.removeprefix(base).split("?")[0].split("#")[0] for url in dict.fromkeys(static)]
    size = sum(len(gzip.compress(path.read_bytes())) for path in here if path.is_file())
    context.on("response", lambda answer: live.append(answer.url))
    found = {"static page, kB gzipped": size / 1000, "cold, s": touched(page)}
    found["loaded before live, MB"] = sum(
        (PAGES / "_live" / url.split("/")[-1]).stat().st_size for url in set(live) if "/_live/" in url) / 1e6
    taken = steps(page)
    second = context.new_page()
    second.goto(f"{base}{chapter}.html", wait_until="networkidle")
    found["second page, s"] = touched(second)
    if taken:
        found["step, 95th percentile, ms"] = statistics.quantiles(taken, n=20)[-1]
    context.close()
    return found


def chapters() -> list[str]:
    """The built pages that hold a panel."""
    return sorted(str(path.relative_to(PAGES).with_suffix("")) for path in PAGES.glob("*/*.html")
                  if "data-panel=" in path.read_text(encoding="utf-8"))


def main() -> None:
    print(f"{'':28}" + "".join(f"{name:>28}" for name in AIMS))
    print(f"{'aim: at most':28}" + "".join(f"{aim:28,}" for aim in AIMS.values()))
    with sync_playwright() as playwright, served(PAGES) as base:
        browser = launch(playwright)
        for chapter in chapters():
            found = measure(browser, base, chapter)
            print(f"{Path(chapter).name:28}" + "".join(
                f"{found[name]:28,.2f}" if name in found else f"{'no slider':>28}" for name in AIMS), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
