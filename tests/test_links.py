"""Owner, repository and branch stand in _config.yml; every link is made from there."""

import importlib.util
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("links", ROOT / "book" / "extensions" / "links.py")
links = importlib.util.module_from_spec(spec)
spec.loader.exec_module(links)


def test_links_follow_the_configuration():
    made = links.links({
        "repository": {"url": "https://github.com/someone/else", "branch": "next"},
        "launch_buttons": {"binderhub_url": "https://hub.example"},
    })
    assert made["published"] == "https://someone.github.io/else/"
    assert made["binder"] == "https://hub.example/v2/gh/someone/else/next?urlpath=lab/tree/notebooks"
    assert made["clone"] == "git clone --branch next https://github.com/someone/else"
    assert made["issues"] == "https://github.com/someone/else/issues"


def test_the_readmes_links_are_made_from_the_configuration():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert links.with_links(readme) == readme, "run: python book/extensions/links.py"
    assert links.readme_block(links.configured()) in readme


def test_owner_and_repository_stand_nowhere_else():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    owner_and_name = config["repository"]["url"].removeprefix("https://github.com/")
    owner, name = owner_and_name.split("/")
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for file in listed:
        if (ROOT / file).is_file() and file not in ("_config.yml", "README.md"):
            text = (ROOT / file).read_text(encoding="utf-8", errors="ignore")
            for link in (f"github.com/{owner_and_name}", f"{owner}.github.io", f"/gh/{owner_and_name}"):
                assert link not in text, f"{file} names {link}"
