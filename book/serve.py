"""Serve the built book on this machine, on the first free port from 8000."""

import functools
import http.server
import sys
from pathlib import Path

PAGES = Path(__file__).resolve().parents[1] / "_build" / "html"
PORTS = range(8000, 8020)


def server(pages: Path, ports: range) -> http.server.ThreadingHTTPServer:
    """Bind the first free port, on the loopback address only."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(pages))
    for port in ports:
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError:
            continue
    raise SystemExit(f"No free port from {ports[0]} to {ports[-1]}: stop another server first.")


if __name__ == "__main__":
    if not (PAGES / "index.html").exists():
        sys.exit("There is no built book yet: run make book first.")
    serving = server(PAGES, PORTS)
    print(f"The book: http://127.0.0.1:{serving.server_port}/ (stop with Ctrl-C)", flush=True)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        print("\nStopped.")
