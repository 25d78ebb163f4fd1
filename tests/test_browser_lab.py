"""A chapter in JupyterLab, as a runner has it: opened, run from top to bottom, a slider moved."""

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import llmsizing as sizing

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120_000


@pytest.fixture
def lab(tmp_path):
    """JupyterLab of this environment, in a folder that holds a copy of chapter 0."""
    shutil.copy(ROOT / "notebooks" / "00_will_it_run.ipynb", tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--ServerApp.port_retries=0",
               "--IdentityProvider.token=book", f"--ServerApp.root_dir={tmp_path}", "--allow-root",
               "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with open(tmp_path / "log", "wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as serving:
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=book")
                    break
                except OSError:
                    assert serving.poll() is None, (tmp_path / "log").read_text()
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/lab/tree/00_will_it_run.ipynb?token=book"
        finally:
            serving.terminate()


def idle(page) -> None:
    """Wait until the kernel has nothing to do; between two cells it has for a moment."""
    for _ in range(2):
        page.get_by_text("| Idle").wait_for(timeout=PATIENCE)
        page.wait_for_timeout(1500)


def test_a_chapter_runs_in_jupyterlab_and_its_slider_moves(browser, lab):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(lab)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=PATIENCE)
    idle(page)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    handle = page.locator(".widget-slider .noUi-handle").first
    handle.wait_for(state="attached", timeout=PATIENCE)
    idle(page)
    handle.scroll_into_view_if_needed()
    handle.focus()
    page.keyboard.press("ArrowRight")
    result = page.locator(".jupyter-widgets.widget-html").first
    page.wait_for_function("(box) => box.innerText.includes('16,384 tokens')", arg=result.element_handle())
    budget = sizing.vram_budget(sizing.load_model("Llama-3.1-8B"), weights="Q4_K_M", context_tokens=16384)
    assert sizing.format_bytes(budget.total_bytes, "GiB") in re.sub(r"\s+", " ", result.inner_text())
    page.close()
