"""Owner, repository and branch stand in _config.yml; every link is made from there."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def links(script):
    return script("book/extensions/links.py")


def test_links_follow_the_configuration(links):
    made = links.links({
        "repository": {"url": "https://github.com/someone/else", "branch": "next"},
        "launch_buttons": {"binderhub_url": "https://hub.example"},
    })
    assert made["published"] == "https://someone.github.io/else/"
    assert made["binder"] == "https://hub.example/v2/gh/someone/else/next?urlpath=lab/tree/notebooks"
    assert made["clone"] == "git clone --branch next https://github.com/someone/else"
    assert made["issues"] == "https://github.com/someone/else/issues"


def test_links_are_written_into_a_pages_text_and_other_braces_stay(links):
    source = ["[all]({{ issues }}) and {{ this }} and {{issues}}"]
    links.write_links(None, "page", source)
    assert source == [f"[all]({links.configured()['issues']}) and {{{{ this }}}} and {{{{issues}}}}"]


def test_the_readmes_links_are_made_from_the_configuration(links):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert links.with_links(readme) == readme, "run: python book/extensions/links.py"
    assert links.readme_block(links.configured()) in readme


def test_owner_and_repository_stand_nowhere_else(tracked):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    owner_and_name = config["repository"]["url"].removeprefix("https://github.com/")
    owner, name = owner_and_name.split("/")
    for file in tracked:
        if file not in ("_config.yml", "README.md") and not file.startswith("book/colab/"):  # made
            text = (ROOT / file).read_text(encoding="utf-8", errors="ignore")
            for link in (f"github.com/{owner_and_name}", f"{owner}.github.io", f"/gh/{owner_and_name}"):
                assert link not in text, f"{file} names {link}"


def test_the_copies_for_colab_are_made_from_the_chapters(script, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "extensions"))
    colab = script("book/extensions/colab.py")
    made = colab.copies()
    assert {path: path.read_text(encoding="utf-8") for path in ROOT.glob("book/colab/*")} == made, (
        "run: make notebooks")
    for text in made.values():
        cells = nbformat.reads(text, as_version=4).cells
        assert cells[0].source.startswith("%pip install -q")
        rehearses = any("rehearse(" in cell.source for cell in cells if cell.cell_type == "code")
        assert rehearses == ("xllamacpp==" in cells[0].source)  # no cell imports it
        assert not any(cell.get("outputs") for cell in cells)
        assert not re.search(r"\]\((?!https?:|#)", "".join(cell.source for cell in cells
                                                       if cell.cell_type == "markdown"))


def test_each_chapter_opens_elsewhere_at_a_path_of_the_repository(built, links):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    where = config["repository"]["url"].removeprefix("https://github.com/"), config["repository"]["branch"]
    for chapter in sorted(ROOT.glob("notebooks/*.ipynb")):
        page = (ROOT / "_build" / "html" / "notebooks" / f"{chapter.stem}.html").read_text(encoding="utf-8")
        colab, = re.findall(r'href="https://colab\.research\.google\.com/github/([^"]+)"', page)
        assert colab == f"{where[0]}/blob/{where[1]}/book/colab/{chapter.name}"
        binder, = set(re.findall(r'href="https://mybinder\.org/v2/gh/([^"]+\.ipynb)"', page))
        assert binder == f"{where[0]}/{where[1]}?urlpath=lab/tree/notebooks/{chapter.name}"
        assert (ROOT / "book" / "colab" / chapter.name).exists()
        lite, = re.findall(r'href="\.\./lite/([^"]+)"', page)
        assert lite == f"notebooks/index.html?path={chapter.name}"
        assert (ROOT / "_build" / "html" / "lite" / "notebooks" / "index.html").exists()
        assert (ROOT / "_build" / "html" / "lite" / "files" / chapter.name).exists()
        source, = set(re.findall(r'href="\.\./_sources/([^"]+\.ipynb)"', page))
        assert (ROOT / "_build" / "html" / "_sources" / source).exists()
