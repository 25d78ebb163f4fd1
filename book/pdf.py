"""Print the built book into one PDF: contents, all pages in order, numbered.

Usage: make pdf
"""

import sys
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "live"))

from browser import launch, served  # noqa: E402

PAGES = HERE.parent / "_build" / "html"
#: Gather the pages into one: names of places get their page's name before them, links follow.
GATHER = """async (paths) => {
  const root = new URL('.', location.href).href.replace(/book\\/$/, '');
  const page = (url) => url.href.slice(root.length).replace(/\\.html.*$/, '');
  const place = (name, id) => `${name.replaceAll('/', '-')}--${id}`;
  const book = document.createElement('main'), list = document.createElement('ol');
  book.className = 'bd-article';
  for (const path of paths) {
    const address = new URL(`${path}.html`, root);
    const text = await (await fetch(address)).text();
    const from = new DOMParser().parseFromString(text, 'text/html').querySelector('article');
    from.querySelectorAll('script, .headerlink, .toctree-wrapper, .copybtn').forEach((each) => each.remove());
    from.querySelectorAll('details:not(.catalog *)').forEach((each) => { each.open = true; });
    for (const each of from.querySelectorAll('[src]')) each.src = new URL(each.getAttribute('src'), address).href;
    for (const each of from.querySelectorAll('[id]')) each.id = place(path, each.id);
    for (const each of from.querySelectorAll('svg'))  // a figure's markers and what clips its bars
      each.innerHTML = each.innerHTML.replaceAll(/(href="#|url\\((?:&quot;)?#)/g, `$1${place(path, '')}`);
    for (const each of from.querySelectorAll('a[href]')) {
      const to = new URL(each.getAttribute('href'), address);
      each.href = !to.href.startsWith(root) ? to.href
        : paths.includes(page(to)) ? `#${place(page(to), to.hash.slice(1) || 'top')}` : '#';
    }
    const section = document.createElement('section');
    section.id = place(path, 'top');
    section.style.breakBefore = 'page';
    section.append(...from.childNodes);
    book.append(section);
    const link = Object.assign(document.createElement('a'), { href: `#${section.id}`,
      textContent: section.querySelector('h1').textContent });
    list.append(document.createElement('li'));
    list.lastChild.append(link);
  }
  const title = Object.assign(document.createElement('h1'), { textContent: document.title.split(' — ').at(-1) });
  const contents = Object.assign(document.createElement('h2'), { textContent: 'Contents' });
  document.body.replaceChildren(title, contents, list, book);
}"""
NUMBER = ("<p style='width:100%;margin:0 1.5cm;font-size:8pt;text-align:right'>"
          "<span class='pageNumber'></span> of <span class='totalPages'></span></p>")


def order() -> list[str]:
    """The book's pages as its table of contents has them."""
    toc = yaml.safe_load((HERE.parent / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(each["file"] for part in toc["parts"] for each in part["chapters"])]


def print_book(target: Path, paths: list[str]) -> None:
    """Write the pages into one PDF."""
    with sync_playwright() as playwright, served(PAGES) as base:
        browser = launch(playwright)
        page = browser.new_page(color_scheme="light")
        page.goto(f"{base}{paths[0]}.html", wait_until="networkidle")
        page.evaluate(GATHER, paths)
        page.wait_for_load_state("networkidle")
        page.pdf(path=target, format="A4", outline=True, tagged=True, display_header_footer=True,
                 header_template="<p></p>", footer_template=NUMBER,
                 margin={"top": "1.5cm", "bottom": "1.8cm", "left": "1.5cm", "right": "1.5cm"})
        browser.close()


if __name__ == "__main__":
    if not (PAGES / "index.html").exists():
        sys.exit("There is no built book yet: run make book first.")
    made = HERE.parent / "_build" / "sizing-local-llms.pdf"
    print_book(made, order())
    print(f"The book as a PDF: {made} ({made.stat().st_size / 1e6:.1f} MB)")
