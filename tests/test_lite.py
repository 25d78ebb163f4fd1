"""JupyterLite without a browser: what the build puts into the book, and what its kernel adds."""

import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
SITE = ROOT / "_build" / "html" / "lite"
PUBLISHED = "https://someone.example/book/"


@pytest.fixture
def kernel(script):
    return script("book/lite/lite_kernel.py")


@pytest.fixture
def copies(script):
    return script("book/lite/lite_chapters.py").copies(ROOT / "notebooks", PUBLISHED)


def cells(text: str, kind: str) -> list:
    return [cell for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_copy_runs_the_chapters_cells_and_stores_what_it_cannot_run(copies, kernel, path):
    chapter, copy = path.read_text(encoding="utf-8"), copies[path.name]
    for cell, made in zip(cells(chapter, "code"), cells(copy, "code"), strict=True):
        assert made.outputs == [] and made.execution_count is None
        if "static" in cell.metadata.get("tags", []):
            assert made.source == f"%%stored {path.name}\n{cell.source}"
            assert kernel.stored_for(json.loads(copy), made.source + "\n") == json.loads(json.dumps(cell.outputs))
        else:
            assert made.source == cell.source and "stored" not in made.metadata


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_copys_links_lead_to_a_chapter_beside_it_or_to_a_page(copies, path):
    text = "".join(cell.source for cell in cells(copies[path.name], "markdown"))
    found = re.findall(r"\]\(([^)#\s]+)[^)\s]*\)", text)
    assert found
    for link in found:
        page = link.removeprefix(PUBLISHED).removesuffix(".html")
        assert link in copies or link.startswith("https://"), link
        assert not link.startswith(PUBLISHED) or (ROOT / f"{page}.md").exists(), link


def test_a_changed_cell_has_nothing_stored(copies, kernel):
    copy = json.loads(copies["04_quantization_formats.ipynb"])
    assert kernel.stored_for(copy, "%%stored 04_quantization_formats.ipynb\nplots.plot_bits([])") is None


def test_what_the_browser_lacks_is_said_in_a_sentence(kernel):
    with pytest.raises(ModuleNotFoundError, match=r"the browser has no matplotlib\. Open the chapter in Binder"):
        kernel.Lacking.find_spec("matplotlib")
    assert kernel.Lacking.find_spec("fractions") is None
    with pytest.raises(StopIteration) as answer:  # what a coroutine returns, with no loop of our own
        kernel.refuse(["install", "rich"]).send(None)
    with pytest.raises(ModuleNotFoundError, match="installs nothing"):
        exec(answer.value.value)


def test_every_chapter_is_in_the_list(built):
    listed = json.loads((SITE / "api" / "contents" / "all.json").read_text(encoding="utf-8"))["content"]
    assert [entry["path"] for entry in listed] == [path.name for path in NOTEBOOKS]
    assert all((SITE / "files" / entry["path"]).stat().st_size == entry["size"] for entry in listed)


def test_its_python_is_the_panels_own_and_installs_nothing(built):
    settings = json.loads((SITE / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    (kernel,) = settings["litePluginSettings"].values()
    assert kernel["pipliteUrls"] == [] and kernel["disablePyPIFallback"] is True
    script = (SITE / kernel["pyodideUrl"]).read_text(encoding="utf-8")
    files = re.findall(r'"file": "([^"]+)"', script)
    assert [name.rsplit("-", 1)[0] for name in files] == [
        "../_live/pyodide-mjs", "../_live/pyodide-asm-mjs", "../_live/pyodide-asm-wasm", "../_live/python-zip",
        "../_live/packages-zip", "kernel-zip"]
    assert all((SITE / name).is_file() for name in files)
    assert not [path for path in SITE.rglob("*") if path.suffix in (".wasm", ".whl", ".map")]


def test_it_weighs_little(built):
    assert sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file()) < 24_000_000
    assert next(SITE.glob("kernel-zip-*.bin")).stat().st_size < 3_000_000


def test_the_licences_of_what_it_brings_come_along(built):
    text = (SITE / "licences.txt").read_text(encoding="utf-8")
    for name in ("ipython", "Pygments", "prompt_toolkit", "jupyterlite-core", "ipywidgets", "traitlets"):
        assert re.search(rf"^{name} \d", text, re.MULTILINE | re.IGNORECASE), name
    assert "IPython Development Team" in text and "Apache License" in text


def test_it_is_made_once(built, script, monkeypatch):
    for folder in ("live", "lite"):
        monkeypatch.syspath_prepend(str(ROOT / "book" / folder))
    site = script("book/lite/lite_site.py")
    monkeypatch.setattr(site, "build", lambda folder: pytest.fail("made again"))
    cache = ROOT / "_build" / "live"
    (live,) = cache.glob("assets-*")
    assert site.made(cache, live).parent == cache
