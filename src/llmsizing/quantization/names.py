"""What the names of files, repositories and tags say, and what they do not."""

import re

from llmsizing.errors import InvalidInput
from llmsizing.quantization.name_parts import PATTERNS, NamePart, active, context

LONGEST = 300  # characters of a file's name
SEPARATORS = "-._: "  # Ollama has a colon before its tag


def read_file_name(name: str) -> list[NamePart]:
    """Read the name of a model's file, repository or Ollama tag part by part.

    Parameters
    ----------
    name : str
        "Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "Qwen2.5-7B-Instruct-GPTQ-Int4", "qwen3:8b", with folders
        or without.

    Returns
    -------
    list of NamePart
        In the order of the name.

    Raises
    ------
    InvalidInput
        If there is no name, or one of more than 300 characters.

    Examples
    --------
    >>> [(part.text, part.kind) for part in read_file_name("Qwen3-30B-A3B-UD-Q4_K_XL.gguf")]
    [('Qwen3', 'model'), ('30B', 'size'), ('A3B', 'size'), ('UD', 'maker'), ('Q4_K_XL', 'file type')]

    References
    ----------
    ggml-org/ggml@d99724f: docs/gguf.md, naming convention.
    """
    if not isinstance(name, str):
        raise InvalidInput(f"A file's name is text such as 'Qwen3-8B-Q4_K_M.gguf', not {name!r}.")
    text = re.split(r"[/\\]", re.sub(r"\?download=true$", "", name.strip()))[-1]
    if not re.search(r"[A-Za-z0-9]", text) or len(text) > LONGEST:
        raise InvalidInput(f"A file's name has 1 to {LONGEST} characters, letters among them; this"
                           f" one has {len(text)}: {text[:40]!r}.")
    stem = re.sub(r"\.gguf$", "", text, flags=re.IGNORECASE)
    parts, rest = [], stem
    while rest:
        part = _known_part(rest) or _model_part(rest)
        if _says_context(part, parts):
            part = context(part.text)
        parts.append(part)
        rest = rest[len(part.text):].lstrip(SEPARATORS)
    if any(_counts_experts(part) for part in parts):  # Llama-4-Scout-17B-16E: 17 are active
        parts = [active(part.text) if part.kind == "size" and not _counts_experts(part) else part
                 for part in parts]
    return _joined(parts)


def _known_part(rest: str) -> NamePart | None:
    """The part at the start that a pattern knows."""
    for pattern, read in PATTERNS:
        match = re.match(rf"(?:{pattern})(?![A-Za-z0-9])", rest, flags=re.IGNORECASE)
        if match:
            return read(match[0])
    return None


def _model_part(rest: str) -> NamePart:
    """Letters up to the next dash; a dot or underline ends them only before a part that is known.

    After a dot a size does not count as known: Qwen1.5B is not 5B.
    """
    end = re.match(r"[^-._: ]+|.", rest).end()
    while match := re.match(r"([._])[^-._: ]+", rest[end:]):
        after = _known_part(rest[end + 1:])
        if after and not (match[1] == "." and after.kind in ("size", "version", "context")):
            break
        end += match.end()
    return NamePart(rest[:end], "model", "the model's name")


def _says_context(part: NamePart, before: list[NamePart]) -> bool:
    """Whether a number of millions stands after the size: then it counts tokens."""
    return (part.kind == "size" and part.text.upper().endswith("M")
            and any(other.kind == "size" for other in before))


def _counts_experts(part: NamePart) -> bool:
    return part.kind == "size" and part.text.upper().endswith("E")


def _joined(parts: list[NamePart]) -> list[NamePart]:
    """Neighbouring parts of the model's name in one."""
    joined: list[NamePart] = []
    for part in parts:
        if part.kind == "model" and joined and joined[-1].kind == "model":
            part = NamePart(f"{joined.pop().text}-{part.text}", part.kind, part.says)
        joined.append(part)
    return joined
