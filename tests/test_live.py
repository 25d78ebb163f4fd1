"""The live panels without a browser: what a page's Python does, and what the build makes."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import ipywidgets
import pytest

from llmsizing.panels import Panel
from llmsizing.panels.controls import KINDS, control_kind, control_state, move_control

ROOT = Path(__file__).resolve().parents[1]
LIVE = ROOT / "book" / "live"
CHAPTERS = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
            if "data-panel=" in path.read_text(encoding="utf-8")]
by_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


@pytest.fixture
def bridge(script):
    return script("book/live/bridge.py")


def opened(bridge, path: Path) -> list[dict]:
    text, told = path.read_text(encoding="utf-8"), []
    bridge.open_chapter(text, text.count("data-panel="), told.append)
    return [json.loads(state) for state in told]


def stored(path: Path) -> list[dict]:
    """The panels' states as the notebook stores them."""
    outputs = [text for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
               for output in cell.get("outputs", ())
               for text in ["".join(output.get("data", {}).get("text/html", ""))]]
    found = [re.search(r"data-panel='([^']*)'", text) for text in outputs if "data-panel=" in text]
    return [json.loads(re.sub("&#x27;", "'", match[1]).replace("&lt;", "<").replace("&gt;", ">")
                       .replace("&amp;", "&")) for match in found]


def test_chapters_with_panels_are_found():
    assert {"00_will_it_run", "02_rule_of_thumb"} <= {path.stem for path in CHAPTERS}


@by_chapter
def test_a_page_starts_from_what_the_notebook_stores(bridge, path):
    told = opened(bridge, path)
    assert [state.pop("panel") for state in told] == list(range(len(told)))
    assert all(state.pop("result") for state in told)
    assert told == stored(path)


@by_chapter
def test_a_move_in_the_page_is_a_move_of_the_panel(bridge, path):
    for state in opened(bridge, path):
        panel = bridge.panels[state["panel"]]
        for control in state["controls"]:
            at = (control["at"] + 1) % len(control["options"]) if "options" in control else control["at"]
            answer = json.loads(bridge.move(state["panel"], json.dumps({control["name"]: at})))
            assert answer["result"] == panel.at_once
            assert bridge.later(state["panel"]) == panel.later
            now = {each["name"]: each["at"] for each in answer["controls"]}
            assert now[control["name"]] == at


@by_chapter
def test_a_chapters_panels_need_neither_ipython_nor_anything_else(path):
    """-S leaves the standard library: what the page has is added, nothing more."""
    code = f"""
import sys, runpy
from pathlib import Path
sys.path[:0] = [{str(ROOT / 'src')!r}]
allowed = {[str(Path(ipywidgets.__file__).parents[1])]!r}
class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('ipywidgets', 'traitlets', 'comm'):
            from importlib.machinery import PathFinder
            return PathFinder.find_spec(name, path or allowed)
sys.meta_path.append(OnlyThese())
bridge = runpy.run_path({str(LIVE / 'bridge.py')!r})
bridge['stand_in_for_ipython']()
text = Path({str(path)!r}).read_text(encoding='utf-8')
bridge['open_chapter'](text, text.count('data-panel='), lambda state: None)
assert sys.modules['IPython'].__spec__ is None
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def notebook(*cells: tuple[str, str]) -> str:
    """A notebook of sources, each with what it shows: nothing, a panel, or the tag static."""
    return json.dumps({"cells": [
        {"cell_type": "code", "source": [source],
         "metadata": {"tags": ["static"] if kind == "static" else []},
         "outputs": [{"data": {"text/html": ["<p data-panel='{}'>"]}}] if kind == "panel" else []}
        for source, kind in cells]})


def test_only_the_cells_that_a_panel_needs_are_run(bridge):
    text = notebook(("import math, json as j", ""), ("def half(n):\n    return n / two", ""), ("two = 2", ""),
                    ("import pandas", "static"), ("slow = half(9)", ""), ("show(half(4))", "panel"),
                    ("after = 1", ""), ("from a.b import show", ""))
    assert bridge.needed_cells(text) == ["def half(n):\n    return n / two", "two = 2", "show(half(4))"]
    assert bridge.names_of("import a.b, c as d\nclass E: pass\nf = g") == ({"a", "d", "E", "f"}, {"g"})


def test_a_page_and_a_notebook_that_differ_are_told_apart(bridge):
    with pytest.raises(LookupError, match="has 2 panels, its notebook makes 0"):
        bridge.open_chapter(notebook(("1", "panel")), 2, print)


CONTROLS = [
    (ipywidgets.Dropdown(options=[("one", 1), ("two", 2)]), 1, 2),
    (ipywidgets.RadioButtons(options=["a", "b"]), 1, "b"),
    (ipywidgets.ToggleButtons(options=["a", "b"]), 1, "b"),
    (ipywidgets.SelectionSlider(options=["a", "b"]), 1, "b"),
    (ipywidgets.IntSlider(max=9), 7, 7), (ipywidgets.FloatSlider(max=9), 7.5, 7.5),
    (ipywidgets.BoundedIntText(max=9), 7, 7), (ipywidgets.FloatText(), 7.5, 7.5),
    (ipywidgets.Text(), "x", "x"), (ipywidgets.Textarea(), "x", "x"),
    (ipywidgets.Checkbox(), True, True), (ipywidgets.ToggleButton(), True, True),
]


@pytest.mark.parametrize(("control", "at", "value"), CONTROLS, ids=lambda c: type(c).__name__)
def test_each_kind_of_control_moves_to_where_the_page_has_it(control, at, value):
    move_control(control, at)
    assert control.value == value
    assert control_state("n", control)["at"] == at


def test_a_control_that_no_page_draws_is_refused_in_a_sentence():
    with pytest.raises(TypeError, match="A page draws no IntRangeSlider. It draws BoundedFloatText, "):
        control_kind(ipywidgets.IntRangeSlider())


def test_the_script_draws_every_kind():
    drawn = (LIVE / "live.js").read_text(encoding="utf-8").split("const DRAW = {")[1].split("\n};")[0]
    assert set(re.findall(r'^  "?([a-z ]+?)"?\(control, move\)', drawn, re.MULTILINE)) == set(KINDS.values())


def test_a_panels_state_is_written_for_an_attribute():
    panel = Panel("<It's>", lambda n: "", {"n": ipywidgets.Text("a'b&c", description="\"n\"")})
    html = panel._repr_mimebundle_()["text/html"]
    assert "data-panel='{\"title\":\"&lt;It&#x27;s&gt;\"," in html and "a&#x27;b&amp;c" in html


def test_the_lock_file_names_no_registry():
    for name in ("package.json", "package-lock.json", ".npmrc"):
        text = (LIVE / name).read_text(encoding="utf-8")
        assert "://" not in text and "resolved\":" not in text
    locked = json.loads((LIVE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(entry.get("integrity") for name, entry in locked.items() if name)


def test_node_packages_are_never_committed(tracked):
    assert not [name for name in tracked if "node_modules" in name or name.endswith((".wasm", ".whl"))]


def test_the_built_assets_are_compressed_named_by_content_and_few(built):
    folder = ROOT / "_build" / "html" / "_live"
    packed = sorted(folder.glob("*.bin"))
    assert [path.name.rsplit("-", 1)[0] for path in packed] == [
        "packages-zip", "pyodide-asm-mjs", "pyodide-asm-wasm", "pyodide-mjs", "python-zip"]
    assert sum(path.stat().st_size for path in packed) <= 7_000_000
    assert all(gzip.decompress(path.read_bytes()) for path in packed)
    worker = (folder / "worker.js").read_text(encoding="utf-8")
    assert all(f'"{path.name}", "bytes": {path.stat().st_size}' in worker for path in packed)
    assert {path.name for path in folder.iterdir()} - {path.name for path in packed} == {
        "live.css", "live.js", "worker.js"}


def test_only_pages_with_panels_get_the_script(built):
    for page in (ROOT / "_build" / "html").glob("*/*.html"):
        text = page.read_text(encoding="utf-8")
        assert ("_live/live.js" in text) == ("data-panel=" in text), page.name
        assert "widget-state" not in text and "fontawesome/6.5.2/js" not in text
