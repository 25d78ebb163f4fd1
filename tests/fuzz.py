"""Broken files by the hundred thousand for the readers of files: `make fuzz`.

Each input is a small valid file with something wrong: bits, lengths, counts, pieces, values. A reader
may answer with a model or with one of the two exceptions that a user meets, within a second and within
a fixed memory. Everything else is a finding. The same seed makes the same inputs.
"""

import argparse
import json
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import replace
from pathlib import Path

from gguf_files import ARCH_OF, metadata_of, tensors_of, write_gguf
from hub_server import safetensors_start

import llmsizing as sizing
from llmsizing.files.safetensors import entries, header_length, parsed, with_checkpoint

HERE = Path(__file__).parent
SECONDS, MEMORY = 1.0, 512 * 2**20  # of the processor for one input; above what the process has at its start
NUMBERS = (0, 1, 2, 3, 7, 8, 9, 255, 256, 4095, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 10**10, 2**53,
           2**62, 2**63 - 1, 2**63, 2**64 - 1)
VALUES = (None, True, False, -1, 0, 1, 2, 3, 5, 64, 10**7, 2**31, 2**63, 10**400, 0.5, float("inf"), float("nan"),
          "", "x", "2", "\ud800", [], [1], [0, 0], [True, False], [[1]], {}, {"a": 1}, "x" * 5000)


class TooSlow(BaseException):
    """An input took longer than it may; no reader catches this."""


def family_models():
    """A small model of every family."""
    rows = json.loads((HERE / "architecture_counts.json").read_text(encoding="utf-8"))
    configs = {row["config"]["model_type"]: row["config"] for row in reversed(rows)}
    return [(config, sizing.read_config(config)) for _, config in sorted(configs.items())]


class GgufInputs:
    """GGUF files: the header is mutated, the weights are a hole of the right size."""

    def __init__(self, models, folder):
        self.path, self.seeds, self.models = Path(folder) / "fuzz.gguf", [], models
        for _, model in models:
            path = write_gguf(self.path, ARCH_OF[model.model_type], metadata_of(model), tensors_of(model))
            size = path.stat().st_size
            self.seeds.append((path.read_bytes()[:size - sizing.weight_bytes(sizing.read_gguf(path))], size))

    def make(self, chance):
        """One input: its bytes, and how long the file is."""
        if chance.random() < 0.3:
            return self.structured(chance)
        header, size = chance.choice(self.seeds)
        return mutated(chance, header, [seed for seed, _ in self.seeds]), size

    def structured(self, chance):
        """A file whose structure is whole and whose values make no sense."""
        _, model = chance.choice(self.models)
        arch = ARCH_OF[model.model_type]
        values = {f"{arch}.{key}": value for key, value in metadata_of(model).items()}
        values["general.architecture"] = arch
        tensors = [(name, list(shape), 0) for name, shape in tensors_of(model)]
        for _ in range(chance.randint(1, 4)):
            key = chance.choice(list(values))
            match chance.randrange(6):
                case 0:
                    values.pop(key, None)
                case 1 | 2:
                    values[key] = chance.choice((*VALUES, *NUMBERS))
                case 3:
                    tensors.pop(chance.randrange(len(tensors)))
                case 4:
                    chance.choice(tensors)[1][-1] = chance.choice(NUMBERS)
                case _:
                    name, shape, _ = chance.choice(tensors)
                    tensors.append((chance.choice((name, name.replace("0", "1"), "blk.9999.x")), shape,
                                    chance.choice((0, 1, 8, 12, 39, 99))))
            if not tensors or not values:
                break
        header = encoded(values, tensors)
        return header, len(header) + 2**24

    def read(self, given):
        """Put the input on disk and read it."""
        header, size = given
        self.path.write_bytes(header)
        if len(header) and size > len(header):
            os.truncate(self.path, size)
        return sizing.read_gguf(self.path)


class HubInputs:
    """A config.json, the header of a safetensors file and an index, as a repository may hold them."""

    def __init__(self, models):
        self.seeds = []
        for config, model in models:
            names = {f"model.layers.{number}.{tensor.name}" if number is not None else f"model.{tensor.name}":
                     ("BF16", list(tensor.shape), 2) for number, tensor in model.tensors()}
            start, data = safetensors_start(names, metadata={"format": "pt"})
            self.seeds.append((json.dumps(config).encode(), start, len(start) + data, json.dumps(
                {"weight_map": dict.fromkeys(names, "model.safetensors")}).encode()))

    def make(self, chance):
        """One input: config, start of the weights' file, its size, index."""
        config, start, size, index = chance.choice(self.seeds)
        if chance.random() < 0.4:
            config, start = self.structured(chance, config, start)
        else:
            match chance.randrange(3):
                case 0:
                    config = mutated(chance, config, [seed[0] for seed in self.seeds])
                case 1:
                    start = mutated(chance, start, [seed[1] for seed in self.seeds])
                case _:
                    index = mutated(chance, index, [seed[3] for seed in self.seeds])
        return config, start, size, index

    def structured(self, chance, config, start):
        """Valid JSON whose values make no sense."""
        values, header = json.loads(config), json.loads(start[8:])
        for _ in range(chance.randint(1, 3)):
            if chance.random() < 0.5:
                values[chance.choice(list(values))] = chance.choice((*VALUES, *NUMBERS))
            else:
                name = chance.choice(list(header))
                if isinstance(header[name], dict) and chance.random() < 0.7:
                    field = chance.choice(("dtype", "shape", "data_offsets"))
                    header[name][field] = chance.choice(
                        (*VALUES, "F4", "F8_E4M3", "NF4", [2**62, 2**62], [-1], [0, 2**70], [5, 1]))
                else:
                    header[name] = chance.choice(VALUES)
        text = json.dumps(header).encode()
        return json.dumps(values).encode(), len(text).to_bytes(8, "little") + text

    def read(self, given):
        """What read_hub does with what the hub sends."""
        config, start, size, index = given
        parsed(index, "index")
        length = header_length(start[:8], "weights")
        listed = entries(start[8:8 + length], size, "weights")
        text = config.decode("utf-8", errors="replace")
        model = sizing.read_config(text if text.lstrip().startswith("{") else "{" + text)
        return replace(model, **with_checkpoint(model, listed))


def mutated(chance, content, others):
    """Something wrong with bytes, once or a few times."""
    content = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place = chance.randrange(max(len(content), 1))
        match chance.randrange(8):
            case 0 | 1:
                for _ in range(chance.choice((1, 1, 8))):
                    if content:
                        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            case 2:
                del content[place:]
            case 3:
                size = chance.choice((4, 8))
                number = chance.choice(NUMBERS) % 2**(8 * size)
                content[place:place + size] = number.to_bytes(size, "little")
            case 4:
                other = chance.choice(others)
                start = chance.randrange(max(len(other), 1))
                content[place:] = other[start:]
            case 5:
                content[place:place] = content[place:place + chance.choice((1, 8, 100))]
            case 6:
                del content[place:place + chance.choice((1, 4, 8, 100))]
            case _:
                content[place:place] = chance.choice((b"[" * 5000, b'{"a":' * 3000, b"\xff" * 9, b"9" * 5000, b'"'))
    return bytes(content)


def encoded(values, tensors):
    """A GGUF header by hand: the gguf package refuses to write much that is wrong."""
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(values))]
    for key, value in values.items():
        parts += [_text(key), *_value(value)]
    offset = 0
    for name, shape, kind in tensors:
        parts += [_text(name), struct.pack("<I", len(shape)),
                  b"".join(struct.pack("<Q", number % 2**64) for number in reversed(shape)),
                  struct.pack("<IQ", kind, offset % 2**64)]
        size = 4
        for number in shape:
            size *= number
        offset += -(-size // 32) * 32
    return b"".join(parts)


def _text(value):
    content = value.encode("utf-8", errors="replace")
    return struct.pack("<Q", len(content)) + content


def _value(value):
    if isinstance(value, bool):
        return [struct.pack("<I?", 7, value)]
    if isinstance(value, int):
        return [struct.pack("<IQ", 10, value % 2**64)]
    if isinstance(value, float):
        return [struct.pack("<Id", 12, value)]
    if isinstance(value, str):
        return [struct.pack("<I", 8), _text(value)]
    items = [item for item in value or () if isinstance(item, int)]
    return [struct.pack("<IIQ", 9, 10, len(items)), *(struct.pack("<Q", item % 2**64) for item in items)]


def use(model):
    """What a reader of the book does with a model next."""
    assert model.parameters > 0
    sizing.weight_bytes(model)
    sizing.vram_budget(model, context_tokens=4096)


def check(inputs, chance):
    """Read one input; the name of the outcome, or the traceback of a finding."""
    given = inputs.make(chance)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        use(inputs.read(given))
        return "read", ""
    except (sizing.InvalidInput, sizing.UnknownName) as refusal:
        if len(str(refusal)) > 1500:
            return "finding", f"a message of {len(str(refusal)):,} letters: {str(refusal)[:300]}"
        return type(refusal).__name__, ""
    except (Exception, TooSlow):
        return "finding", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def run(count, seed, *, readers=("gguf", "hub")):
    """Check inputs in turn; how often each outcome came, and the findings."""
    def late(*_):
        raise TooSlow

    before = signal.signal(signal.SIGPROF, late)
    outcomes, findings = Counter(), []
    try:
        with tempfile.TemporaryDirectory() as folder:
            models = [(config, model) for config, model in family_models() if model.model_type in ARCH_OF]
            kinds = {"gguf": lambda: GgufInputs(models, folder), "hub": lambda: HubInputs(models)}
            made = [(name, kinds[name]()) for name in readers]
            for number in range(count):
                name, inputs = made[number % len(made)]
                outcome, trace = check(inputs, random.Random(f"{seed} {number}"))
                outcomes[name, outcome] += 1
                if trace:
                    findings.append((name, number, trace))
    finally:
        signal.signal(signal.SIGPROF, before)
    return outcomes, findings


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    ceiling = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    start = time.perf_counter()
    outcomes, findings = run(asked.count, asked.seed)
    seconds = time.perf_counter() - start
    for (reader, outcome), times in sorted(outcomes.items()):
        print(f"{reader:5} {outcome:13} {times:9,}")
    alike = {trace[:trace.rfind("\n", 0, -1)][-300:]: (reader, number, trace) for reader, number, trace in findings}
    for reader, number, trace in alike.values():
        print(f"\n{reader}, input {number} of seed {asked.seed}:\n{trace[-1500:]:.1500}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{asked.count:,} inputs in {seconds:.0f} s, {asked.count / seconds:,.0f} a second, at most {peak:,} MiB:"
          f" {len(findings):,} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
