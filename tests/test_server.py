"""The blocks of chapter 11, as they stand there, against a real server with a tiny model."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

import hub_server
import llmsizing as sizing
from tiny_model import write_tiny_model

ROOT = Path(__file__).resolve().parents[1]
REPO, FILE = "Qwen/Qwen3-0.6B-GGUF", "Qwen3-0.6B-Q8_0.gguf"


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    """The fenced blocks of the chapter that are run here, by the file or program they start with."""
    notebook = nbformat.read(ROOT / "notebooks" / "11_deployment.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = {}
    for language, block in re.findall(r"```(python|bash)\n(.*?)```", text, re.DOTALL):
        name = re.match(r'"""(\w+\.py):', block)
        found[name[1] if name else block.split(None, 1)[0] + (" server" if "llama-server" in block else "")] = block
    return found


@pytest.fixture
def folder(tmp_path, blocks):
    """A folder with the blocks as files, and llama-server on the path."""
    for name in ("download.py", "ask.py", "compare.py"):
        (tmp_path / name).write_text(blocks[name], encoding="utf-8")
    program = tmp_path / "bin" / "llama-server"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)}"
                       f" {shlex.quote(str(ROOT / 'tests' / 'llama_server.py'))} \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "models").mkdir()
    return tmp_path


def python(folder, name, **environment):
    return subprocess.run([sys.executable, name], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, **environment})


def _answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(folder, command):
    """Run the chapter's line on a port that is free, as a shell runs it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ask = folder / "ask.py"
    ask.write_text(ask.read_text(encoding="utf-8").replace("8080", str(port)), encoding="utf-8")
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    line = command.replace("--port 8080", f"--port {port}").replace("llama-server", "exec llama-server", 1)
    server = subprocess.Popen(["sh", "-c", line], cwd=folder, env={**os.environ, "PATH": path})
    try:
        while server.poll() is None and not _answers(port):
            time.sleep(0.1)
        assert server.returncode is None, (folder / "server.log").read_text(errors="replace")[-3000:]
        yield port
    finally:
        server.kill()
        server.wait()


def test_the_path_ends_with_a_server_that_answers(folder, blocks):
    write_tiny_model(folder / "models" / FILE)
    key, start = blocks["python3 server"].strip().splitlines()
    subprocess.run(["sh", "-c", key.replace("python3", shlex.quote(sys.executable), 1)], cwd=folder, check=True)
    with serving(folder, start) as port:
        asked = python(folder, "ask.py")
        assert asked.returncode == 0, asked.stderr + (folder / "server.log").read_text(errors="replace")[-2000:]
        assert re.search(r"^answer: [1-9]\d* tokens, [\d.]+ a second$", asked.stdout, re.MULTILINE)
        assert "stopped by: length" in asked.stdout or "stopped by: stop" in asked.stdout
        with pytest.raises(urllib.error.HTTPError, match="401"):  # without the key
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models/x", b"{}", timeout=10)
    compared = python(folder, "compare.py")
    assert compared.returncode == 0, compared.stderr
    rows = {line.split("  ")[0]: line.split()[-3:] for line in compared.stdout.splitlines()[-3:]}
    model = sizing.read_gguf(folder / "models" / FILE)
    budget = sizing.vram_budget(model, context_tokens=8192, backend="cpu")
    for term, exact in (("weights", 0.01), ("KV cache", 0.01), ("compute buffer", 1.0)):
        predicted, allocated, difference = map(float, rows[term])
        assert predicted == pytest.approx(budget[term].bytes / 2**20, abs=0.006)
        assert abs(predicted - allocated) <= exact and allocated > 0, (term, rows[term])
    log = sizing.read_server_log((folder / "server.log").read_text(encoding="utf-8", errors="replace"))
    assert not log.on_device and len(log.answer_speeds) >= 1 and min(log.answer_speeds) > 0


def test_what_settings_writes_starts_a_real_server(folder):
    """Four conversations in one cache of 8 bits, a file with a space and a quote."""
    path = write_tiny_model(folder / "models" / "it's tiny.gguf")
    budget = sizing.vram_budget(sizing.read_gguf(path), context_tokens=4096, sequences=4, kv_cache="q8_0",
                                backend="cpu")
    command = sizing.settings(budget, file=f"models/{path.name}").command
    assert "-dev none" in command and "-kvu" in command
    (folder / "key.txt").write_text("secret")
    with serving(folder, f"{command} --port 8080 --api-key-file key.txt -lv 4 > server.log 2>&1"):
        asked = python(folder, "ask.py")
        assert asked.returncode == 0, asked.stderr
    log = sizing.read_server_log((folder / "server.log").read_text(encoding="utf-8", errors="replace"))
    rows = {row[0]: row for row in log.compare(budget).rows}
    assert abs(rows["weights"][3]) <= 0.01 and abs(rows["KV cache"][3]) <= 0.01


def test_the_download_is_checked_by_size_and_hash(folder, tmp_path):
    content = write_tiny_model(tmp_path / "tiny.gguf").read_bytes()
    hub = hub_server.Hub({REPO: {FILE: content, "README.md": b"x"}})
    environment = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1",
                   "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "0"}
    try:
        fetched = python(folder, "download.py", **environment)
        assert fetched.returncode == 0, fetched.stderr
        assert f"{len(content):,} bytes, sha256 {hub_server.sha256(content)}" in fetched.stdout
        assert (folder / "models" / FILE).read_bytes() == content
        again = python(folder, "download.py", **environment)
        assert again.returncode == 0 and hub.sent < 1.5 * len(content)
        hub.listed = {FILE: b"another file"}
        wrong = python(folder, "download.py", **environment)
        assert wrong.returncode == 1 and f"has {len(content):,} bytes, not 12" in wrong.stderr
        hub.listed = {FILE: bytes(len(content))}
        wrong = python(folder, "download.py", **environment)
        assert wrong.returncode == 1 and "not what the hub lists" in wrong.stderr
    finally:
        hub.close()


def test_a_download_goes_on_where_it_was_cut_off(folder, tmp_path):
    content = bytes(range(256)) * 2**17  # 32 MiB, for the hub's client keeps pieces of 10 MB
    hub = hub_server.Hub({REPO: {FILE: content}})
    hub.cut = len(content) // 2
    environment = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1",
                   "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "0"}
    try:
        fetched = python(folder, "download.py", **environment)
        assert fetched.returncode == 0, fetched.stderr
        assert (folder / "models" / FILE).read_bytes() == content
        assert len(content) <= hub.sent < 1.4 * len(content)
    finally:
        hub.close()
