"""Build the book for real, with warnings as errors, and look at what came out."""

import re
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from threading import Thread

import pytest
import yaml

import llmsizing as sizing
from llmsizing.breakdown.colours import ACCENT, ACCENT_ON_DARK

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "_build" / "html"


def pages() -> dict[str, str]:
    found = {str(p.relative_to(PAGES)): p.read_text(encoding="utf-8") for p in PAGES.rglob("*.html")}
    return {name: text for name, text in found.items() if not name.startswith("_static")}


def test_the_build_says_where_the_book_lies_and_how_to_open_it(built):
    assert str(PAGES / "index.html") in built and "make serve" in built
    assert "Building from scratch" in built


def test_every_page_of_the_contents_is_there(built):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]
    assert len(files) >= 10
    for file in files:
        assert (PAGES / f"{file}.html").exists(), file


def test_each_prose_page_is_in_the_contents():
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    for path in ROOT.glob("book/**/*.md"):
        assert f": {path.relative_to(ROOT).with_suffix('').as_posix()}\n" in toc, path.name


def test_no_page_asks_another_host_for_anything(built):
    class Requests(HTMLParser):
        def handle_starttag(self, tag, attrs):
            given = dict(attrs)
            if tag in ("script", "img", "iframe", "source", "audio", "video"):
                self.found.append(given.get("src") or "")
            if tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon", "modulepreload"):
                self.found.append(given.get("href") or "")

    for name, text in pages().items():
        reader = Requests()
        reader.found = []
        reader.feed(text)
        assert reader.found or name == "index.html", name  # that one leads to book/index.html
        outside = [url for url in reader.found if re.match(r"(https?:)?//", url)]
        assert not outside, f"{name}: {outside}"
        assert "thebe" not in "".join(reader.found)


def test_formulas_are_mathml_and_no_markup_is_left_over(built):
    chapter = (PAGES / "notebooks" / "02_rule_of_thumb.html").read_text(encoding="utf-8")
    assert "<math " in chapter and "<mfrac>" in chapter
    for name, text in pages().items():
        body = re.sub(r"<(pre|script|style|code)\b.*?</\1>", "", text, flags=re.DOTALL)
        assert not re.search(r"\{\{ \w+ \}\}|\\frac|```\{|\{doc\}|\]\((<a|http)", body), name


def test_panels_figures_and_tables_stand_in_the_page(built):
    chapter = (PAGES / "notebooks" / "02_rule_of_thumb.html").read_text(encoding="utf-8")
    assert chapter.count("class='sizing-panel'") == 2
    assert chapter.count("class='sizing-figure'") == 1
    assert "168.00 GB" in chapter and "42.00 GB" in chapter
    for image in re.findall(r"<img [^>]*>", chapter):
        assert re.search(r'alt="[^"]+"', image), image


def test_each_chapter_has_the_panels_and_figures_of_its_notebook(built):
    for path in ROOT.glob("notebooks/*.ipynb"):
        source = path.read_text(encoding="utf-8")
        chapter = (PAGES / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert chapter.count("class='sizing-panel'") == len(re.findall(r'"panels\.\w+\(', source))
        assert chapter.count("class='sizing-figure'") >= 1, path.stem


@pytest.mark.parametrize(("page", "rows"), [
    ("models", len(sizing.models())), ("devices", len(sizing.devices())),
    ("formats", len(sizing.formats()))])
def test_the_catalog_stands_whole_in_its_pages(built, page, rows):
    """Every row with its source, a label for each cell on a phone, and a script that adds to it."""
    text = (PAGES / "book" / f"{page}.html").read_text(encoding="utf-8")
    table = text.split("<div class='catalog catalog-")[1].split("</table>")[0]
    body = table.split("<tbody>")[1]
    columns = table.count("<th scope='col'")
    assert body.count("<tr data-find=") == rows and f"<caption>{rows} {page}</caption>" in table
    assert body.count("<td") == body.count("data-label=") == rows * (columns - 1)
    assert body.count("data-sort=") == rows * columns
    assert body.count("<th scope='row'") == body.count("<details><summary>source<") == rows
    assert "type: \"search\"" in text and "aria-sort" in text


def test_every_public_name_is_in_the_api(built):
    import llmsizing
    from llmsizing import panels

    api = (PAGES / "book" / "api.html").read_text(encoding="utf-8")
    for name in llmsizing.__all__:
        assert f'id="llmsizing.{name}"' in api, name
    for name in panels.__all__:
        assert f'id="llmsizing.panels.{name}"' in api, name


def test_the_errata_cover_every_claim(built):
    text = (ROOT / "book" / "errata.md").read_text(encoding="utf-8")
    chapter = (PAGES / "notebooks" / "02_rule_of_thumb.html").read_text(encoding="utf-8")
    headings = re.findall(r"<h2>(.*?)<", chapter.replace("’", "'"))
    entries = re.findall(r"^\d+\. \*\*", text, re.MULTILINE)
    sections = re.findall(r"See: \[(.+?)\]\(\S+#\S+\)\.$", text, re.MULTILINE)
    assert len(entries) == len(sections) == 14
    assert set(sections) <= set(headings)


def test_the_output_that_how_to_run_shows_is_what_the_package_prints():
    import llmsizing

    text = (ROOT / "book" / "how-to-run.md").read_text(encoding="utf-8")
    assert f"```text\n{llmsizing.rule_of_thumb(parameters=70e9, bits=4)}\n```" in text


def test_one_identity():
    css = (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    assert f"--pst-color-primary: {ACCENT};" in css
    assert f"--pst-color-primary: {ACCENT_ON_DARK};" in css
    for image in ("favicon.svg", "logo.svg"):
        assert ACCENT in (ROOT / "book" / "images" / image).read_text(encoding="utf-8")


def test_the_landing_picture_is_what_the_package_draws(script):
    picture = script("book/picture.py")
    assert picture.PICTURE.read_text(encoding="utf-8") == picture.picture()


def test_the_fingerprint_sees_every_change(tmp_path, script):
    build = script("book/build.py")
    (tmp_path / "src").mkdir()
    source = tmp_path / "src" / "a.py"
    for place in build.INPUTS:
        if "." in place:
            (tmp_path / place).write_text("x")
    source.write_text("x = 1")
    first = build.fingerprint(tmp_path)
    assert build.fingerprint(tmp_path) == first
    source.write_text("x = 2")
    second = build.fingerprint(tmp_path)
    source.rename(source.with_name("b.py"))
    assert len({first, second, build.fingerprint(tmp_path)}) == 3
    assert all((ROOT / place).exists() for place in build.INPUTS)
    assert {"src", "notebooks", "requirements.txt"} <= set(build.INPUTS)


def test_the_server_answers_on_loopback_and_finds_a_free_port(built, script):
    serve = script("book/serve.py")
    first = serve.server(PAGES, range(8741, 8761))
    second = serve.server(PAGES, range(8741, 8761))
    try:
        assert second.server_port > first.server_port
        assert second.server_address[0] == "127.0.0.1"
        Thread(target=second.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{second.server_port}/index.html") as answer:
            assert answer.status == 200
    finally:
        second.shutdown()
        first.server_close()
        second.server_close()


def test_no_free_port_is_said_in_a_sentence(script):
    serve = script("book/serve.py")
    taken = serve.server(PAGES, range(8761, 8781))
    try:
        with pytest.raises(SystemExit, match="No free port"):
            serve.server(PAGES, range(taken.server_port, taken.server_port + 1))
    finally:
        taken.server_close()
