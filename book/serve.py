"""Serve the built book on the first free port from 8000: on this machine, or to a classroom.

Usage: python serve.py [--lan]

The release archive holds this file as start.py beside the book.
"""

import functools
import http.server
import socket
import sys
import webbrowser
from pathlib import Path

HERE = Path(__file__).resolve().parent
UNPACKED = HERE / "html"  # in the archive
PAGES = UNPACKED if UNPACKED.exists() else HERE.parent / "_build" / "html"
PORTS = range(8000, 8020)


class Pages(http.server.SimpleHTTPRequestHandler):
    """Files with their types: Windows may tell Python others, and a browser then runs no script."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript",
                      ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml",
                      ".bin": "application/octet-stream", ".woff2": "font/woff2"}


def server(pages: Path, ports: range, *, host: str = "127.0.0.1") -> http.server.ThreadingHTTPServer:
    """Bind the first free port; on the loopback address, if no other host is named."""
    handler = functools.partial(Pages, directory=str(pages))
    for port in ports:
        try:
            return http.server.ThreadingHTTPServer((host, port), handler)
        except OSError:
            continue
    raise SystemExit(f"No free port from {ports[0]} to {ports[-1]}: stop another server first.")


def own_address() -> str:
    """The address by which others on the network reach this machine; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address that nobody has
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()


if __name__ == "__main__":
    if not (PAGES / "index.html").exists():
        sys.exit("There is no built book yet: run make book first.")
    to_all = "--lan" in sys.argv[1:]
    serving = server(PAGES, PORTS, host="0.0.0.0" if to_all else "127.0.0.1")
    here = f"http://127.0.0.1:{serving.server_port}/"
    print(f"The book: {here} (stop with Ctrl-C)", flush=True)
    if to_all:
        print(f"For others on this network: http://{own_address()}:{serving.server_port}/", flush=True)
    if PAGES == UNPACKED:
        webbrowser.open(here)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        print("\nStopped.")
