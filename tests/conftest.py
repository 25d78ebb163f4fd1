"""What several test files need: the files of the repository, and its scripts as modules."""

import importlib.util
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

# The same cases on every run, however slow the machine is.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def script():
    """Load a script that is no part of the package, by its path from the top."""

    def load(path: str):
        spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """The repository's files, as git lists them; a download without git is taken as it lies."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    made = {".venv", "_build", "build", "__pycache__", ".git", ".hypothesis", ".pytest_cache"}
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path.as_posix() for path in files
            if not made & set(path.parts) and not any(".egg-info" in part for part in path.parts)]
