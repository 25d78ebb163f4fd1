"""A small hub on this machine: it answers huggingface_hub as the real one does, and misbehaves on demand."""

import hashlib
import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHA = "0123456789abcdef0123456789abcdef01234567"


def safetensors_start(tensors, *, metadata=None):
    """A safetensors file up to its weights, and their bytes; tensors is {name: (dtype, shape, bytes of a number)}."""
    header, at = ({"__metadata__": metadata} if metadata else {}), 0
    for name, (dtype, shape, size) in tensors.items():
        end = at + int(math.prod(shape) * size)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text, at


def safetensors(tensors, **how):
    """A whole safetensors file, its weights zero."""
    start, size = safetensors_start(tensors, **how)
    return start + bytes(size)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Hub:
    """Repositories {name: {file: bytes}}; ``refuse`` and ``stall`` make it misbehave."""

    def __init__(self, repositories, *, licence="apache-2.0"):
        self.repositories, self.licence = repositories, licence
        self.refuse, self.stall, self.asked, self.sent = None, 0, [], 0
        self.elsewhere = False  # whether weights lie at another address, as the hub's do
        self.tokens = {}  # the token that came with each question
        self.shorten = 0  # bytes that a part is too short by
        self.ignores_range, self.only = False, ""  # misbehave only where the path holds this
        self.listed = {}  # {file: what it lists of it instead of what it sends}
        self.cut = 0  # after so many bytes the first answer with a file of weights breaks off
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.do_GET()

            def do_GET(self):
                hub.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        path = request.path.split("?")[0].strip("/")
        self.asked.append((request.command, path))
        self.tokens[path] = request.headers.get("Authorization")
        concerned = self.only in path
        time.sleep(self.stall * concerned)
        if self.refuse and concerned:
            status, code = self.refuse
            return self.send(request, status, b"{}", {"X-Error-Code": code, "X-Error-Message": code})
        if path.startswith("elsewhere/"):
            path = path.removeprefix("elsewhere/")
        elif self.elsewhere and path.endswith(".safetensors"):
            other = f"http://localhost:{self.server.server_port}/elsewhere/{path}"
            return self.send(request, 302, b"", {"Location": other})
        if path.startswith("api/models/"):
            parts = path.split("/")[2:]
            name, revision = "/".join(parts[:2]), parts[3] if len(parts) > 3 else "main"
        else:
            name, _, rest = path.partition("/resolve/")
            revision, _, file = rest.partition("/")
        if name not in self.repositories:
            return self.send(request, 404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if revision not in ("main", SHA):
            return self.send(request, 404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        files = self.repositories[name]
        if path.startswith("api/models/"):
            siblings = [self.sibling(file, self.listed.get(file, content)) for file, content in files.items()]
            body = {"id": name, "modelId": name, "sha": SHA, "private": False, "gated": False, "tags": [],
                    "downloads": 0, "likes": 0, "siblings": siblings, "cardData": {"license": self.licence}}
            return self.send(request, 200, json.dumps(body).encode(), {"Content-Type": "application/json"})
        if file not in files:
            return self.send(request, 404, b"", {"X-Error-Code": "EntryNotFound"})
        return self.send_file(request, files[file], file)

    def sibling(self, file, content):
        large = {"lfs": {"size": len(content), "sha256": sha256(content), "pointerSize": 134}}
        return {"rfilename": file, "size": len(content), **(large if file.endswith(".gguf") else {})}

    def send_file(self, request, content, file):
        headers = {"X-Repo-Commit": SHA, "ETag": f'"{hash(file) & 0xffff:x}"', "Accept-Ranges": "bytes"}
        asked = request.headers.get("Range")
        if asked and not self.ignores_range:
            start, _, end = asked.removeprefix("bytes=").partition("-")
            last = min(int(end or len(content) - 1), len(content) - 1)
            headers["Content-Range"] = f"bytes {start}-{last}/{len(content)}"
            return self.send(request, 206, content[int(start):last + 1 - self.shorten], headers)
        return self.send(request, 200, content, headers)

    def send(self, request, status, body, headers):
        request.send_response(status)
        for key, value in headers.items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command != "HEAD":
            cut, self.cut = (self.cut, 0) if len(body) > self.cut > 0 else (0, self.cut)
            try:
                request.wfile.write(body[:cut or None])
                self.sent += len(body[:cut or None])
                if cut:
                    request.close_connection = True
            except OSError:
                pass  # the reader had enough
