"""The header of a GGUF file: metadata and the list of tensors, read within fixed bounds.

The `gguf` package maps the whole file and builds every string of the vocabulary. Here nothing is
read but what sizing needs; the rest is skipped, and no count is believed before it is checked.
"""

import stat
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from llmsizing.errors import InvalidInput, UnknownName, shown
from llmsizing.quantization import load_format
from llmsizing.units import MIB, format_bytes

#: Real headers have at most about 30 MiB, 100 entries and 3,000 tensors.
LARGEST_HEADER = 256 * MIB
MOST_ENTRIES, MOST_TENSORS = 1_000, 16_384
MOST_STRINGS = 1_200_000  #: in all arrays together; the largest vocabularies and merges have 0.8 million
LONGEST_KEY, LONGEST_NAME = 65_535, 64  # as the format's description allows
LONGEST_TEXT, LONGEST_LIST = 4_096, 2_000  #: longer values are skipped: no size stands in them
MOST_DIMENSIONS = 4
LARGEST_COUNT = 2**63 - 1

#: The types of metadata by their number: how `struct` calls them.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9

#: The types of tensors by their number, as ggml.h has them. Those missing were removed from it.
TENSOR_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 10: "Q2_K",
    11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16",
    26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0",
    39: "MXFP4", 40: "NVFP4", 41: "Q1_0", 42: "Q2_0",
}

#: What other files begin with, and what they are.
OTHERS = ((b"PK", "a zip file, as PyTorch writes it"), (b"ggjt", "an old GGML file"),
          (b"tjgg", "an old GGML file"), (b"lmgg", "an old GGML file"), (b"fmgg", "an old GGML file"),
          (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: fetch that"),
          (b"<", "a web page: the download went wrong"), (b"\x00" * 8, "empty inside: is the download"
           " complete?"))


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as a file lists it: its name, its shape as PyTorch writes it, its format."""

    name: str
    shape: tuple[int, ...]
    format: str


@dataclass(frozen=True)
class Header:
    """What stands before the weights of a GGUF file.

    Parameters
    ----------
    where : str
        The file, for messages.
    metadata : Mapping
        From key to value. Long texts and lists, the vocabulary above all, are left out.
    tensors : tuple of StoredTensor
        In the order of the file.
    """

    where: str
    metadata: Mapping[str, Any]
    tensors: tuple[StoredTensor, ...]


def read_header(path: Path) -> Header:
    """Read the header of one GGUF file, and check that the file is long enough for its tensors.

    Raises
    ------
    InvalidInput
        If it is no GGUF file, or broken; with the place and what would be right.
    """
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise InvalidInput(f"{path} is a folder: name the .gguf file in it.")
        if not stat.S_ISREG(found.st_mode):
            raise InvalidInput(f"{path} is no file that can be read to its end.")
        with path.open("rb") as file:
            return _Reader(file, found.st_size, str(path)).header()
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else (
            getattr(error, "strerror", None) or str(error))
        raise InvalidInput(f"{shown(str(path))} cannot be read: {reason}.") from None


class _Reader:
    """A place in a file, moved by what is read or skipped, never beyond the end."""

    def __init__(self, file: BinaryIO, size: int, where: str) -> None:
        self.file, self.where, self.at = file, where, 0
        self.size, self.end = size, min(size, LARGEST_HEADER)
        self.order, self.strings = "<", 0

    def header(self) -> Header:
        """Everything before the weights."""
        self._begin()
        tensors, entries = self.number("Q"), self.number("Q")
        self.bounded("tensors", tensors, MOST_TENSORS, each=24)
        self.bounded("entries of metadata", entries, MOST_ENTRIES, each=13)
        metadata: dict[str, Any] = {}
        for _ in range(entries):
            key = self.text("a key", LONGEST_KEY)
            if key in metadata:
                raise self.wrong(f"the key {shown(key)} stands twice")
            metadata[key] = self.value(key, self.number("I"))
        listed = [self.tensor() for _ in range(tensors)]
        self._check_places(listed, metadata.get("general.alignment", 32))
        return Header(self.where, {key: value for key, value in metadata.items() if value is not None},
                      tuple(tensor for tensor, _ in listed))

    def _begin(self) -> None:
        start = self.file.read(24)
        if start[:4] != b"GGUF":
            kind = next((kind for begin, kind in OTHERS if start.lower().startswith(begin.lower())), "")
            if start[8:9] == b"{":
                kind = "a safetensors file: read its config.json with read_config"
            raise InvalidInput(f"{self.where} is no GGUF file: it begins with {start[:4]!r} instead of"
                               f" b'GGUF'{'; it looks like ' + kind if kind else ''}.")
        self.file.seek(4)
        self.at = 4
        version = self.number("I")
        if version and version % 65_536 == 0:  # its bytes stand the other way round
            self.order, version = ">", int.from_bytes(version.to_bytes(4, "little"), "big")
        if version not in (2, 3):
            advice = "; convert the model again" if version == 1 else ""
            raise self.wrong(f"its version is {version}, but must be 2 or 3{advice}")

    def number(self, code: str) -> Any:
        """The next number."""
        return self.numbers(code)[0]

    def numbers(self, codes: str) -> tuple:
        """The next numbers."""
        return struct.unpack(self.order + codes, self.bytes(struct.calcsize("<" + codes)))

    def bytes(self, count: int) -> bytes:
        """The next bytes."""
        self.forward(count)
        found = self.file.read(count)
        if len(found) < count:
            raise self.cut()
        return found

    def skip(self, count: int) -> None:
        """Pass over bytes without reading them."""
        self.forward(count)
        self.file.seek(count, 1)

    def forward(self, count: int) -> None:
        """Move the place, or say that there is nothing so far ahead."""
        if count > self.end - self.at:
            if self.at + count > self.size:
                raise self.cut(count)
            raise self.wrong(f"its header claims more than {format_bytes(LARGEST_HEADER)}; real ones"
                             " have some MiB")
        self.at += count

    def text(self, what: str, longest: int) -> str:
        """The next string, which must be UTF-8."""
        length = self.number("Q")
        if length > longest:
            raise self.wrong(f"{what} is {length:,} bytes long, but must have at most {longest:,}")
        try:
            return self.bytes(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self.wrong(f"{what} is no text in UTF-8") from None

    def value(self, key: str, kind: int) -> Any:
        """The value of an entry; None for one that is too long to matter here."""
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == STRING:
            return self._string(key)
        if kind == ARRAY:
            return self._array(key)
        raise self.wrong(f"{shown(key)} is of the unknown type {kind}; there are 0 to 12")

    def _string(self, key: str) -> str | None:
        length = self.number("Q")
        if length > LONGEST_TEXT:
            return self.skip(length)
        try:
            return self.bytes(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self.wrong(f"{shown(key)} is no text in UTF-8") from None

    def _array(self, key: str) -> list | None:
        kind, count = self.number("I"), self.number("Q")
        if kind == STRING:
            self.strings += count
            self.bounded(f"strings up to {shown(key)}", self.strings, MOST_STRINGS, each=0)
            self.bounded(f"strings in {shown(key)}", count, MOST_STRINGS, each=8)
            return self._skip_strings(count)
        if kind not in SCALARS:
            raise self.wrong(f"{shown(key)} is an array of the type {kind}, but must hold numbers or"
                             " strings")
        size = struct.calcsize("<" + SCALARS[kind])
        if count > LONGEST_LIST:
            return self.skip(count * size)
        return list(self.numbers(f"{count}{SCALARS[kind]}"))

    def _skip_strings(self, count: int) -> None:
        """Walk over a vocabulary: a second's worth at most, so without a method for each step."""
        length_of, read, seek = struct.Struct(self.order + "Q").unpack, self.file.read, self.file.seek
        for _ in range(count):
            found = read(8)
            if len(found) < 8:
                raise self.cut()
            length = length_of(found)[0]
            self.forward(8 + length)
            seek(length, 1)

    def tensor(self) -> tuple[StoredTensor, int]:
        """A tensor, and where its weights begin after the header."""
        name = self.text("a tensor's name", LONGEST_NAME)
        dimensions = self.number("I")
        if not 1 <= dimensions <= MOST_DIMENSIONS:
            raise self.wrong(f"{shown(name)} has {dimensions:,} dimensions, but must have 1 to"
                             f" {MOST_DIMENSIONS}")
        *reversed_shape, kind, offset = self.numbers(f"{dimensions}QIQ")
        shape = tuple(reversed_shape[::-1])
        product = 1
        for length in shape:
            product *= length
        if not 0 < product <= LARGEST_COUNT:
            raise self.wrong(f"{shown(name)} has the shape {shape}; each number must be at least 1,"
                             " their product below 2^63")
        if kind not in TENSOR_TYPES:
            raise UnknownName(f"{self.where}: the tensor {shown(name)} is of the type {kind}, which is"
                              f" none of ggml's {len(TENSOR_TYPES)} that files may hold: the file is"
                              " broken, or newer or much older than this package.")
        return StoredTensor(name, shape, TENSOR_TYPES[kind]), offset

    def _check_places(self, listed: list[tuple[StoredTensor, int]], alignment: Any) -> None:
        """Names differ, rows are whole blocks, and the weights follow each other inside the file."""
        if not isinstance(alignment, int) or not 0 < alignment <= MIB or alignment & (alignment - 1):
            raise self.wrong(f"general.alignment is {shown(alignment)}, but must be a power of two")
        twice = [name for name, times in Counter(tensor.name for tensor, _ in listed).items() if times > 1]
        if twice:
            raise self.wrong(f"the tensor {shown(twice[0])} stands twice")
        formats = {name: load_format(name) for name in {tensor.format for tensor, _ in listed}}
        start, free = -(-self.at // alignment) * alignment, 0
        for tensor, offset in sorted(listed, key=lambda pair: pair[1]):
            block = formats[tensor.format].block_weights
            if tensor.shape[-1] % block:
                raise self.wrong(f"{shown(tensor.name)} has rows of {tensor.shape[-1]:,} weights, but"
                                 f" {tensor.format} stores {block} together")
            if offset % alignment or offset < free:
                raise self.wrong(f"the weights of {shown(tensor.name)} begin inside those of another"
                                 " tensor")
            free = offset + formats[tensor.format].tensor_bytes(tensor.shape)
        if listed and start + free > self.size:
            raise InvalidInput(f"{self.where} is cut off: its tensors end at byte {start + free:,}, the"
                               f" file at {self.size:,}. Download it again.")

    def bounded(self, what: str, count: int, most: int, *, each: int) -> None:
        """Refuse a count that no file has, or that this one is too short for."""
        if count > most:
            raise self.wrong(f"it claims {count:,} {what}; at most {most:,} are read")
        if count * each > self.size - self.at:
            raise self.cut(count * each)

    def cut(self, needed: int = 0) -> InvalidInput:
        """The exception for a file that ends inside its header."""
        more = f", which needs {format_bytes(needed)} more from byte {self.at:,} on" if needed else ""
        return InvalidInput(f"{self.where} ends inside its header, at byte {self.size:,}{more}: is it"
                            " cut off?")

    def wrong(self, what: str) -> InvalidInput:
        """The exception for a header that makes no sense."""
        return InvalidInput(f"{self.where}, byte {self.at:,}: {what}.")
