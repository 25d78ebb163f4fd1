"""Make every link to the repository from the one place where it stands: `_config.yml`.

In the book's pages write {{ repository }}, {{ binder }} or another name of `links`, inside a link
or a code block too. Run as a script, this file writes the same links into README.md.
"""

import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(<!-- links: begin.*?-->\n).*?(<!-- links: end -->)", re.DOTALL)


def links(config: dict) -> dict[str, str]:
    """From the text of `_config.yml`, parsed, to links by name."""
    url, branch = config["repository"]["url"].rstrip("/"), config["repository"]["branch"]
    owner, repository = urlsplit(url).path.strip("/").split("/")
    binder = config["launch_buttons"]["binderhub_url"]
    published = f"https://{owner}.github.io/{repository}/"
    return {
        "repository": url,
        "clone": f"git clone --branch {branch} {url}",
        "folder": repository,
        "install": f"git+{url}@{branch}",
        "issues": f"{url}/issues",
        "published": published,
        "binder": f"{binder}/v2/gh/{owner}/{repository}/{branch}?urlpath=lab/tree/notebooks",
    }


@cache
def configured() -> dict[str, str]:
    return links(yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8")))


def readme_block(made: dict[str, str]) -> str:
    """The lines of README.md that hold links."""
    return (
        f"- **Read** the published book: {made['published']}\n"
        f"- **Run** it in your browser: {made['binder']}\n"
        f"- **Get** it: `{made['clone']}`\n"
        f"- **Ask**, or report a number that is wrong: {made['issues']}\n"
    )


def with_links(readme: str) -> str:
    """README.md's text with its block of links made anew."""
    return BLOCK.sub(lambda match: match[1] + readme_block(configured()) + match[2], readme)


def write_links(app, page: str, source: list[str]) -> None:
    made = configured()
    source[0] = re.sub(r"\{\{ (\w+) \}\}", lambda match: made.get(match[1], match[0]), source[0])


def name_the_site(app, config) -> None:
    config.html_baseurl = configured()["published"]


def setup(app) -> dict[str, bool]:
    app.connect("config-inited", name_the_site)
    app.connect("source-read", write_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_links(readme.read_text(encoding="utf-8")), encoding="utf-8")
