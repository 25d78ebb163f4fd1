"""read_hub: from a repository on the Hugging Face hub to a Model, without its weights."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmsizing.architecture import Model, read_config
from llmsizing.errors import InvalidInput, UnknownName, exact_number, expect, shown
from llmsizing.files.safetensors import (
    LARGEST_HEADER,
    LENGTH_BYTES,
    Entry,
    entries,
    header_length,
    parsed,
    with_checkpoint,
)
from llmsizing.units import format_bytes

INDEX = "model.safetensors.index.json"
MOST_FILES = 1_000
AT_ONCE = 8  # requests
PATIENCE = 10  # times the timeout that one answer may take in all
SITE = "https://huggingface.co"
INSTALL = 'read_hub needs the package huggingface_hub: python -m pip install "huggingface_hub>=2.4"'


def read_hub(repo: str, *, revision: str | None = None, timeout: float = 10,
             progress: Callable[[str], object] | None = None, endpoint: str | None = None) -> Model:
    """Read a model from a repository on the Hugging Face hub: some hundred kB, not its weights.

    The model's shape is that of its config.json. The headers of its safetensors files say what
    each tensor takes, so ``weight_bytes(model)`` is the checkpoint's size as it lies there.

    Parameters
    ----------
    repo : str
        "org/name", or the repository's address.
    revision : str, optional
        A branch, tag or commit; by default the main branch.
    timeout : float
        Seconds that the hub may take for each answer.
    progress : callable, optional
        Gets a sentence for each file that is read; ``progress=print`` shows them.
    endpoint : str, optional
        Another address than the hub's own; HF_ENDPOINT in the environment says it, too.

    Returns
    -------
    Model
        With licence, and with ``vision_parameters`` where a tower's tensors are named as such.

    Raises
    ------
    InvalidInput
        If huggingface_hub is not installed, the hub does not answer or refuses, or the repository
        holds no model in safetensors files.
    UnknownName
        If there is no such repository or revision, or its family is not known.

    Notes
    -----
    What was read is kept in huggingface_hub's cache: a second call asks for the list of files only.
    A token is taken from where ``hf auth login`` left it.

    Examples
    --------
    >>> read_hub("Qwen/Qwen3-8B", timeout=0)
    Traceback (most recent call last):
    llmsizing.errors.InvalidInput: timeout must be from 0.1 to 600, but is 0. It counts seconds.
    """
    expect("repo", repo, str, "write 'Qwen/Qwen3-8B'")
    if revision is not None:
        expect("revision", revision, str, "name a branch, tag or commit")
    seconds = float(exact_number("timeout", timeout, at_least=0.1, at_most=600, hint="It counts seconds."))
    hub = _Repository(_named(repo), revision, seconds, progress or (lambda sentence: None), endpoint)
    info = hub.ask(hub.info)
    hub = replace(hub, revision=info.sha or revision)
    files = {str(file.rfilename): file.size for file in info.siblings or ()}
    _expect_checkpoint(hub.name, files)
    config = hub.file("config.json", files)
    licence = getattr(info.card_data, "license", None)
    model = read_config(
        config, name=hub.name.rpartition("/")[2], repo=hub.name,
        licence=licence if isinstance(licence, str) else "",
        source=f"{hub.name}@{(info.sha or 'main')[:12]}: config.json, safetensors headers")
    return replace(model, **with_checkpoint(model, hub.tensors(files)))


@dataclass(frozen=True)
class _Repository:
    """A repository at one revision, and how it is asked."""

    name: str
    revision: str | None
    timeout: float
    progress: Callable[[str], object]
    endpoint: str | None

    def ask(self, question: Callable[..., Any], *given: Any) -> Any:
        """Put a question to the hub, and say in one sentence why there is no answer."""
        try:
            return question(*given)
        except (InvalidInput, UnknownName):
            raise
        except ImportError:
            raise InvalidInput(f"{INSTALL}.") from None
        except Exception as error:  # huggingface_hub passes on whatever the network layers raise
            raise self._refusal(error) from None

    def info(self) -> Any:
        """What the hub says of it: commit, files with sizes, licence."""
        from huggingface_hub import HfApi

        self.progress(f"{self.name}: list of files")
        return HfApi(endpoint=self.endpoint).model_info(
            self.name, revision=self.revision, timeout=self.timeout, files_metadata=True)

    def file(self, name: str, files: dict[str, int | None]) -> Path:
        """A small file of it, kept on this machine."""
        size = files.get(name) or 0
        if not 0 < size <= LARGEST_HEADER:
            raise InvalidInput(f"{self.name}, {name} has {format_bytes(size)}; real ones have some kB or"
                               " MB.")
        kept = self.ask(self._kept, name)
        if not kept.is_file():
            self.progress(f"{self.name}: {name}")
            self.ask(_keep, kept, self.ask(self._part, name, 0, size))
        return kept

    def tensors(self, files: dict[str, int | None]) -> list[Entry]:
        """The tensors of all its safetensors files."""
        from concurrent.futures import ThreadPoolExecutor  # a reader's browser has no threads

        names = self._weights(files)
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            listed = list(pool.map(lambda name: self._entries(name, files[name]), names))
        finally:
            pool.shutdown(cancel_futures=True)
        found = [entry for entries_of_file in listed for entry in entries_of_file]
        if len({entry.name for entry in found}) < len(found):
            raise InvalidInput(f"{self.name}: a tensor stands in two of its {len(names)} files.")
        return found

    def _weights(self, files: dict[str, int | None]) -> list[str]:
        if INDEX not in files:
            names = ["model.safetensors"] if "model.safetensors" in files else sorted(
                name for name in files if name.endswith(".safetensors") and "/" not in name)
        else:
            text = self.file(INDEX, files).read_bytes()
            index = parsed(text, f"{self.name}, {INDEX}").get("weight_map")
            if not isinstance(index, dict) or not all(isinstance(name, str) for name in index.values()):
                raise InvalidInput(f"{self.name}, {INDEX}: weight_map must say a file for each tensor.")
            names = sorted(set(index.values()))
            missing = [name for name in names if name not in files]
            if missing or not names:
                raise InvalidInput(f"{self.name}, {INDEX} names {shown(missing[0]) if missing else 'no file'}"
                                   f"{', which is not there' if missing else ''}: the upload is not"
                                   " complete.")
        if len(names) > MOST_FILES:
            raise InvalidInput(f"{self.name} has {len(names):,} weight files; at most {MOST_FILES:,} are read.")
        return names

    def _entries(self, file: str, size: int | None) -> list[Entry]:
        where, kept = f"{self.name}, {file}", self.ask(self._kept, f"{file}.header")
        if not kept.is_file():
            self.progress(f"{self.name}: header of {file}")
            length = header_length(self.ask(self._part, file, 0, LENGTH_BYTES), where)
            self.ask(_keep, kept, self.ask(self._part, file, LENGTH_BYTES, length))
        return entries(kept.read_bytes(), size, where)

    def _kept(self, file: str) -> Path:
        """Where a file of this commit is kept between calls, in huggingface_hub's own cache."""
        from huggingface_hub import cached_assets_path

        folder = cached_assets_path("llmsizing", self.name, self.revision or "main")
        return folder / file.replace("/", "--")

    def _part(self, file: str, start: int, length: int) -> bytes:
        """Some bytes of a file: no more, and no longer, whatever the server does.

        huggingface_hub's own download would try five times for up to two minutes.
        """
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

        url = hf_hub_url(self.name, file, revision=self.revision, endpoint=self.endpoint)
        headers = {**build_hf_headers(), "Range": f"bytes={start}-{start + length - 1}",
                   "Accept-Encoding": "identity"}
        found, latest = bytearray(), time.monotonic() + PATIENCE * self.timeout
        with get_session().stream("GET", url, headers=headers, timeout=self.timeout,
                                  follow_redirects=True) as answer:
            hf_raise_for_status(answer)
            if answer.status_code != 206 and start:
                raise InvalidInput(f"{self.name}: the server sends no part of {file}, only the whole.")
            for piece in answer.iter_raw():
                found += piece
                if len(found) >= length:
                    break
                if time.monotonic() > latest:
                    raise TimeoutError
        if len(found) < length:
            raise InvalidInput(f"{self.name}, {file} ends inside its header: the upload is not complete.")
        return bytes(found[:length])

    def _refusal(self, error: Exception) -> InvalidInput | UnknownName:
        """Why the hub gave no answer, in one sentence."""
        from huggingface_hub import errors

        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(error, errors.OfflineModeIsEnabled):
            return InvalidInput(f"{self.name} was not read: HF_HUB_OFFLINE is set, so the hub is not"
                                " asked. Unset it, or read a config.json or GGUF file on this machine.")
        if isinstance(error, errors.HFValidationError):
            return InvalidInput(f"{shown(self.name)} is no name of a repository; they look like"
                                " 'Qwen/Qwen3-8B'.")
        if isinstance(error, errors.GatedRepoError) or status == 403:
            return InvalidInput(f"{self.name} is gated: accept its terms at {SITE}/{self.name}, then run"
                                " `hf auth login`.")
        if isinstance(error, errors.RevisionNotFoundError):
            return UnknownName(f"{self.name} has no revision {shown(self.revision)}.")
        if isinstance(error, errors.EntryNotFoundError):
            return InvalidInput(f"{self.name} lacks a file that it lists: the upload is not complete.")
        if isinstance(error, errors.RepositoryNotFoundError) or status in (401, 404):
            return UnknownName(f"No repository {self.name} on the hub that this account may read. Is it"
                               " spelled as in its address? A private one needs `hf auth login`.")
        if status == 429:
            return InvalidInput("The hub refuses more questions for now (429): wait some minutes, or run"
                                " `hf auth login` for a higher limit.")
        if status:
            return InvalidInput(f"The hub answered {status} for {self.name}: try again later.")
        if "timeout" in type(error).__name__.lower():
            return InvalidInput(f"The hub did not answer within {self.timeout:g} seconds: is there a"
                                " network? A larger timeout waits longer.")
        return InvalidInput(f"{self.name} was not read: the hub cannot be reached"
                            f" ({type(error).__name__}). Is there a network?")


def _keep(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(file)


def _named(repo: str) -> str:
    """The repository's name, taken out of an address where one was pasted."""
    if repo.startswith(("http://", "https://")):
        parts = repo.split("?")[0].split("/")[3:5]
        return "/".join(parts)
    return repo.strip("/ ")


def _expect_checkpoint(name: str, files: dict[str, int | None]) -> None:
    """Refuse a repository without config.json and safetensors files, saying what it has instead."""
    if "config.json" in files and any(file.endswith(".safetensors") for file in files):
        return
    ggufs = [f"{file} ({format_bytes(size or 0)})" for file, size in files.items()
             if file.lower().endswith(".gguf")]
    if ggufs:
        more = f" and {len(ggufs) - 6} more" if len(ggufs) > 6 else ""
        raise InvalidInput(f"{name} holds GGUF files: {', '.join(ggufs[:6])}{more}. Download one (hf"
                           f" download {name} FILE) and use read_gguf.")
    missing = "no config.json" if "config.json" not in files else "no safetensors files"
    raise InvalidInput(f"{name} holds {missing}, so its model cannot be read; it holds"
                       f" {', '.join(sorted(files)[:6]) or 'nothing'}.")
