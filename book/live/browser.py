"""A browser and a server for tests and measurements of the built book."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: A browser that asks nobody for anything by itself. To it classroom.test is this machine, but
#: plain http from there is as insecure as from any other: no service worker, no clipboard.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--host-resolver-rules=MAP classroom.test 127.0.0.1")
NONE_FOUND = ("No Chromium was found on this machine. On Debian and Ubuntu: apt install chromium."
              " Elsewhere: python -m playwright install chromium")


def chromium(playwright) -> str:
    """The path of a Chromium: the machine's, or Playwright's own."""
    own = playwright.chromium.executable_path
    for path in (*map(shutil.which, NAMES), own if Path(own).exists() else None):
        if path:
            return path
    raise FileNotFoundError(NONE_FOUND)


def launch(playwright):
    """Start Chromium without a window."""
    return playwright.chromium.launch(executable_path=chromium(playwright), args=list(FLAGS))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """The plainest server that there is: it compresses nothing and sets no lifetime."""

    def log_message(self, *_arguments) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine; the address ends in a slash."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
