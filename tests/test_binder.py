"""Read what repo2docker would build for Binder, without building it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def dockerfile() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--user-id=1000",
         "--user-name=reader", str(ROOT)],
        capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def test_binder_gets_the_python_that_the_package_needs(dockerfile):
    assert "Building conda environment for python=3.11" in dockerfile
    assert (ROOT / "runtime.txt").read_text(encoding="utf-8").strip() == "python-3.11"
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_binder_installs_the_requirements_then_the_package(dockerfile):
    requirements = dockerfile.index('-r "requirements.txt"')
    package = dockerfile.index("pip install --no-cache-dir .")
    assert requirements < package
    assert not (ROOT / "binder").exists() and not (ROOT / ".binder").exists()
