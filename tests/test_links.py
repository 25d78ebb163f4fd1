"""Owner, repository and branch stand in _config.yml; every link is made from there."""

from pathlib import Path

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
        if file not in ("_config.yml", "README.md"):
            text = (ROOT / file).read_text(encoding="utf-8", errors="ignore")
            for link in (f"github.com/{owner_and_name}", f"{owner}.github.io", f"/gh/{owner_and_name}"):
                assert link not in text, f"{file} names {link}"
