"""Try every chapter in Firefox: the static page, then each panel live, moved by key and by mouse.

Run it after `make book`, where Firefox is installed (Debian: apt install firefox-esr). Firefox is
driven by its own WebDriver BiDi; the client comes with JupyterLab. The number in the page must be
what the package answers in this Python.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import websocket
from browser import served
from report import PAGES, chapters

NAMES = ("firefox", "firefox-esr")
PATIENCE = 90  # seconds
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
#: Where each control of a panel stands, by name, as the package counts it; and its result.
STANDS = """(at) => { const box = document.querySelectorAll('.sizing-panel')[at];
  const { controls } = JSON.parse(box.dataset.panel);
  const fields = [...box.querySelectorAll('.live-field')];
  const stands = fields.map((field, at) => {
    const { name, kind } = controls[at], input = field.querySelector('select, textarea, input');
    const radios = [...field.querySelectorAll('[type=radio]')];
    return [name, kind === 'choice' ? input.selectedIndex : kind === 'check' ? input.checked
      : kind === 'buttons' ? radios.findIndex((radio) => radio.checked)
      : ['stops', 'range', 'number'].includes(kind) ? input.valueAsNumber : input.value]; });
  return JSON.stringify([Object.fromEntries(stands), box.querySelector('.sizing-result').innerHTML]); }"""
PARSED = "(html) => Object.assign(document.createElement('div'), { innerHTML: html }).innerHTML"
SETTLED = """(at) => { const { live, stale } = document.querySelectorAll('.sizing-panel')[at].dataset;
  return live === 'failed' ? document.querySelector('.live-status').textContent : live === 'live' && !stale; }"""
#: The middle of a panel's control, scrolled into sight.
MIDDLE = """([at, field]) => { const box = document.querySelectorAll('.sizing-panel')[at];
  box.querySelectorAll('.live-more').forEach((more) => { more.open = true; });
  const input = box.querySelectorAll('.live-field')[field].querySelector('select, textarea, input');
  input.scrollIntoView({ block: 'center', behavior: 'instant' }); input.focus();
  const { x, y, width, height } = input.getBoundingClientRect();
  const along = input.type === 'range' && (input.value - input.min) / (input.max - input.min) > .5 ? .05 : .95;
  return [Math.round(x + width * (input.type === 'range' ? along : .5)), Math.round(y + height / 2)]; }"""
KEYS = {"choice": "\ue015", "buttons": "\ue014", "stops": "\ue014", "range": "\ue014", "number": "\ue013",
        "check": " ", "text": "7", "long text": "{"}  # arrow down, right, up
BACK = {"choice": "\ue013", "stops": "\ue012", "range": "\ue012"}  # where the last place is taken


class Firefox:
    """Firefox without a window, and a page in it."""

    def __init__(self, program: str, profile: str) -> None:
        self.numbers, self.told = count(1), []
        self.process = subprocess.Popen(
            [program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = next(line for line in self.process.stderr if "WebDriver BiDi listening on" in line)
        self.socket = websocket.create_connection(f"{line.split()[-1]}/session", timeout=PATIENCE,
                                                  suppress_origin=True)
        found = self.ask("session.new", capabilities={})["capabilities"]
        self.name = f"{found['browserName']} {found['browserVersion']}"
        self.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.page = self.ask("browsingContext.create", type="tab")["context"]

    def ask(self, method: str, **params: object) -> dict:
        """Send a command and return its result; events on the way are kept."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]
            self.told.append(answer)

    def call(self, function: str, *arguments: object) -> object:
        """Call a function of the page with plain data, and return what it returns, as plain data."""
        done = self.ask("script.evaluate", awaitPromise=True, target={"context": self.page},
                        expression=f"JSON.stringify(({function})(...{json.dumps(arguments)}))")
        if done["type"] == "exception":
            raise RuntimeError(done["exceptionDetails"]["text"])
        return json.loads(done["result"].get("value", "null"))

    def press(self, key: str) -> None:
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self.ask("input.performActions", context=self.page,
                 actions=[{"type": "key", "id": "keys", "actions": keys}])

    def click(self, x: int, y: int) -> None:
        actions = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0},
                   {"type": "pointerUp", "button": 0}]
        self.ask("input.performActions", context=self.page,
                 actions=[{"type": "pointer", "id": "mouse", "actions": actions}])

    def close(self) -> None:
        self.ask("browser.close")
        self.process.wait(timeout=30)


def settle(firefox: Firefox, at: int) -> None:
    """Wait until a panel's result holds for its controls."""
    until = time.monotonic() + PATIENCE
    while (said := firefox.call(SETTLED, at)) is not True:
        if isinstance(said, str) or time.monotonic() > until:
            raise RuntimeError(said or "The panel was not live in time.")
        time.sleep(.02)


def package(chapter: str) -> list:
    """The panels that a chapter makes in this Python."""
    spec = importlib.util.spec_from_file_location("bridge", Path(__file__).with_name("bridge.py"))
    bridge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bridge)
    text = (NOTEBOOKS / f"{Path(chapter).name}.ipynb").read_text(encoding="utf-8")
    bridge.open_chapter(text, text.count("data-panel="), lambda state: None)
    return bridge.panels


def tried(firefox: Firefox, base: str, chapter: str) -> tuple[float, int, list[str]]:
    """Seconds from the first touch to live, how many moves were right, and what went wrong."""
    firefox.told.clear()
    firefox.ask("browsingContext.navigate", context=firefox.page, url=f"{base}{chapter}.html", wait="complete")
    seconds, right, wrong = 0.0, 0, []
    for at, panel in enumerate(package(chapter)):
        for field, control in enumerate(panel.state()["controls"]):
            for by in ("key", "mouse"):
                middle = firefox.call(MIDDLE, [at, field])
                stood = json.loads(firefox.call(STANDS, at))[0][control["name"]]
                if by == "mouse" and control["kind"] not in ("stops", "range", "check"):
                    continue
                started = time.monotonic()
                last = stood == len(control.get("options", ())) - 1 or stood == control.get("max")
                firefox.click(*middle) if by == "mouse" else firefox.press(
                    (BACK if last else KEYS).get(control["kind"], KEYS[control["kind"]]))
                settle(firefox, at)
                seconds = seconds or time.monotonic() - started
                stands, result = json.loads(firefox.call(STANDS, at))
                panel.move(stands)
                if stands[control["name"]] == stood:
                    wrong.append(f"{control['name']} stayed by {by}")
                elif result != firefox.call(PARSED, panel.at_once):
                    wrong.append(f"{control['name']} by {by}: another result than the package's")
                else:
                    right += 1
    for event in firefox.told:
        told = event["params"]
        if event["method"] == "log.entryAdded" and told["level"] in ("error", "warn"):
            wrong.append(f"console: {told['text']}")
        elif event["method"] == "network.beforeRequestSent" and not told["request"]["url"].startswith(
                (base, "blob:", "data:", "about:")):
            wrong.append(f"another host: {told['request']['url']}")
    return seconds, right, wrong


def main() -> int:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        print("No Firefox was found on this machine. On Debian: apt install firefox-esr", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as profile, served(PAGES) as base:
        firefox = Firefox(program, profile)
        print(firefox.name)
        failures = 0
        for chapter in chapters():
            seconds, right, wrong = tried(firefox, base, chapter)
            print(f"{Path(chapter).name:28}{seconds:6.1f} s to live, {right:3} moves right", *wrong,
                  sep="\n    ", flush=True)
            failures += len(wrong)
        firefox.close()
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
