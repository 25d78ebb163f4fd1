"""Size a model in a terminal: budget, verdict, speed and command.

Usage: python -m llmsizing "llama 3.1 8b" --device "rtx 4090" --context 32768
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from llmsizing.architecture import Model, read_config
from llmsizing.breakdown import Breakdown
from llmsizing.breakdown.text import amount_text, spare_text
from llmsizing.catalog import Device, load_device, load_model
from llmsizing.deployment import settings
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput, UnknownName
from llmsizing.files import read_gguf
from llmsizing.memory import Headroom, headroom, host_budget, vram_budget
from llmsizing.memory.fit import TOO_LARGE
from llmsizing.memory.settings import LLAMA_CPP
from llmsizing.speed import decode_speed

WRONG = 2  # the exit code of argparse, too
USUAL_WEIGHTS = {LLAMA_CPP: "Q4_K_M"}  # by family of engines; the others take what a repository holds
#: What a repository holds if its makers released fewer than 16 bits, by family of engines.
AS_RELEASED = {
    "mxfp4": {LLAMA_CPP: "MXFP4_MOE", "vLLM": "MXFP4 safetensors", "transformers": "MXFP4 safetensors",
              "MLX": "MLX MXFP4"},
    "fp8": {"vLLM": "FP8", "transformers": "FP8"},
    "int4": {"vLLM": "W4A16 g32 experts", "transformers": "W4A16 g32 experts"},
}
EPILOG = """examples:
  python -m llmsizing "llama 3.1 8b" --device "rtx 4090" --context 32768
  python -m llmsizing models/my-model.gguf --device "rtx 3060 12gb"
  python -m llmsizing "qwen3 8b" --engine vllm --weights "AWQ 4-bit g128" --sequences 8
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer one question; 0 if it could be answered, 2 if it makes no sense."""
    asked = _parser().parse_args(arguments)
    try:
        answer = _answer(asked)
    except (InvalidInput, UnknownName) as error:
        print(f"llmsizing: {error}", file=sys.stderr)
        return WRONG
    try:
        print(answer, flush=True)
    except BrokenPipeError:  # the reader had enough: python -m llmsizing … | head
        sys.stdout = open(os.devnull, "w", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m llmsizing", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Will this model run on this device? Budget, verdict, speed and command.")
    parser.add_argument("model", help='a name ("llama 3.1 8b"), a .gguf file, or a config.json')
    parser.add_argument("--device", help='a card or computer ("rtx 4090"); without it there is no verdict')
    parser.add_argument("--weights", help="file type or format; by default what a model was released in, if"
                        " that is fewer than 16 bits; else Q4_K_M for llama.cpp, BF16 for vLLM and others; of a"
                        " .gguf file its own")
    parser.add_argument("--context", type=_number, default=8192, metavar="TOKENS",
                        help="tokens of context (default: 8192)")
    parser.add_argument("--kv-cache", metavar="TYPE", help="type of keys and values, such as q8_0")
    parser.add_argument("--sequences", type=_number, default=1, metavar="N",
                        help="conversations at once (default: 1)")
    parser.add_argument("--engine", default=LLAMA_CPP, help="llama.cpp (default), Ollama, LM Studio, vLLM,"
                        " transformers or MLX")
    parser.add_argument("--file", help="where the weights lie, for the command")
    parser.add_argument("--working", action="store_true", help="show how each number comes about")
    parser.add_argument("--display", action="store_true", help="a desktop runs on the device, too")
    return parser


def _answer(asked: argparse.Namespace) -> str:
    model, from_file = _model(asked.model)
    engine = load_engine(asked.engine)
    usual = None if from_file else _usual_weights(model, engine.family)
    weights = usual if asked.weights is None else asked.weights
    card = None if asked.device is None else load_device(asked.device)
    given = {"weights": weights, "context_tokens": asked.context, "sequences": asked.sequences,
             "engine": engine.name}
    given |= {} if asked.kv_cache is None else {"kv_cache": asked.kv_cache}
    given |= {"devices": (card,)} if card else {}
    budget, host = vram_budget(model, **given), host_budget(model, **given)
    answers = [str(budget) if asked.working else _short(budget)]
    if card:
        left = headroom(budget, card, host=host, display=asked.display)
        answers.append(f"{_verdict(left, host, card)}\n{_speed(model, card, given, left)}")
    file = asked.model if asked.file is None and from_file else asked.file
    return "\n\n".join([*answers, str(settings(budget, asked.engine, file=file))])


def _model(name: str) -> tuple[Model, bool]:
    """The model, and whether it was read from a file of weights."""
    if name.lower().endswith(".gguf"):
        return read_gguf(name), True
    return (read_config(name) if name.lower().endswith(".json") else load_model(name)), False


def _usual_weights(model: Model, family: str) -> str:
    """What people take of a model if nothing else is said."""
    native = model.native_type.partition(" ")[0].casefold()
    return AS_RELEASED.get(native, {}).get(family) or USUAL_WEIGHTS.get(family, "BF16")


def _number(text: str) -> int | float | str:
    """What was typed as a number; if it is none, the budget says in a sentence what would be right."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _short(budget: Breakdown) -> str:
    """A line for each term, without its working."""
    terms = [*budget.terms, budget.total]
    width = max(len(term.name) for term in terms)
    lines = [f"  {term.name:<{width}}  {amount_text(term.usual, budget.unit):>10}" for term in terms]
    return "\n".join(filter(None, [budget.title, *lines, budget.note]))


def _verdict(left: Headroom, host: Breakdown, card: Device) -> str:
    beside = amount_text(host.total.usual, "bytes")
    return (f"{card.name}: {left.verdict}, {spare_text(left.usual, 'bytes')}"
            f" (worst case {spare_text(left.low, 'bytes')}). Beside it: {beside} of RAM.")


def _speed(model: Model, card: Device, given: Mapping[str, Any], left: Headroom) -> str:
    """Tokens per second with the context full, or why nobody can say."""
    try:
        speed = decode_speed(model, card, **{name: given[name] for name in given if name != "devices"})
    except InvalidInput as error:
        return f"Speed: not known. {error}"
    when = ", if it did fit" if left.verdict == TOO_LARGE else ""
    return f"Speed with the context full{when}: {speed}. {speed.note}"


if __name__ == "__main__":
    sys.exit(main())
