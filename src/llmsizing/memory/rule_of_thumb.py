"""The rule of thumb, what an engine reports, and the gap between them."""

from dataclasses import dataclass
from fractions import Fraction

from llmsizing.architecture import Model, expect_model
from llmsizing.breakdown import Breakdown, Factor, Term, product
from llmsizing.breakdown.text import number_text
from llmsizing.catalog import (
    engine_context,
    engine_contexts,
    engine_file_types,
    engine_weights,
    load_model,
    reported_models,
)
from llmsizing.errors import exact_number
from llmsizing.memory.budget import beyond_native, vram_budget
from llmsizing.quantization import load_file_type, nominal_bits
from llmsizing.units import BILLION, MIB

BYTES_AT_32_BITS = 4  #: "4B": what a parameter takes at 32 bits
OVERHEAD = Fraction("1.2")  #: "1.2": 20 % for everything that is not a weight


def rule_of_thumb(*, parameters: float, bits: float) -> Breakdown:
    """Size a model by the well-known formula M = P · 4B / (32 / Q) · 1.2.

    In words: every parameter (P) takes four bytes at 32 bits (4B); loaded with Q bits it takes
    Q/32 of that; 20 % on top (1.2) stand for all the rest. In short M = P · Q/8 · 1.2.
    The formula knows neither the context nor the engine. Chapter 2 shows where that matters.

    Parameters
    ----------
    parameters : float
        P, the number of parameters: 70e9 for a 70B model.
    bits : float
        Q, the bits with which each parameter is loaded: 16, 8, 4. Fractions are fine.

    Returns
    -------
    Breakdown
        In bytes, with the terms "weights" and "overhead".

    Raises
    ------
    InvalidInput
        If P is no number from 10,000 to 10^15, or Q none from 1/10 to 32.

    Examples
    --------
    >>> rule_of_thumb(parameters=70e9, bits=16).total_bytes
    168000000000
    >>> print(rule_of_thumb(parameters=70e9, bits=4))
    Rule of thumb: 70 billion parameters at 4 bits
      weights   32.60 GiB  70,000,000,000 parameters (P) × 4 bytes (4B) × 0.125 (Q/32)
      overhead   6.52 GiB  35,000,000,000 bytes of weights × 0.2 (1.2 − 1)
      total     39.12 GiB  42.00 GB

    References
    ----------
    substratus.ai, "Calculating GPU memory for serving LLMs", November 2023.
    """
    p = exact_number(
        "parameters", parameters, at_least=10_000, at_most=10**15,
        hint="It counts single parameters: for a 70B model write 70e9.",
    )
    q = exact_number(
        "bits", bits, at_least=Fraction(1, 10), at_most=32,
        hint="It counts bits per parameter: usual values are 16, 8 and 4.",
    )
    weights = product(
        "weights",
        Factor(p, "parameters (P)"),
        Factor(BYTES_AT_32_BITS, "bytes (4B)"),
        Factor(q / 32, "(Q/32)"),
    )
    overhead = product(
        "overhead",
        Factor(weights.usual, "bytes of weights"),
        Factor(OVERHEAD - 1, f"({number_text(OVERHEAD)} − 1)"),
    )
    title = f"Rule of thumb: {_count_text(p)} parameters at {number_text(q)} bits"
    return Breakdown(title, (weights, overhead))


def engine_report(model: str, *, weights: str, context_tokens: int) -> Breakdown:
    """Look up what llama.cpp itself reports that it would reserve for a model on a device.

    These are the engine's own figures, not ours: all layers on one device, flash attention on,
    one sequence, 16-bit KV cache. What a driver takes for itself is not in them, nor is an
    input embedding of its own, which llama.cpp leaves in RAM.

    Parameters
    ----------
    model : str
        A model of the catalog, as people type it: "llama 3.1 8b".
    weights : str
        A llama.cpp file type: "F16", "Q8_0", "Q4_K_M".
    context_tokens : int
        A power of two from 2,048 to 131,072: only these were asked of the engine.

    Returns
    -------
    Breakdown
        In bytes, with the terms "weights", "KV cache" and "compute buffer". Its note names
        the source, and says so if the context is beyond the model's own.

    Raises
    ------
    UnknownName
        If the engine was not asked about this model or file type.
    InvalidInput
        If it was not asked about this context.

    Examples
    --------
    >>> report = engine_report("llama 3.3 70b", weights="Q4_K_M", context_tokens=8192)
    >>> print(report)
    llama.cpp: Llama-3.3-70B at Q4_K_M, 8,192 tokens of context
      weights         39.04 GiB  39,979.485 MiB × 1,048,576 bytes per MiB
      KV cache         2.50 GiB  2,560 MiB × 1,048,576 bytes per MiB
      compute buffer   0.20 GiB  208.01 MiB × 1,048,576 bytes per MiB
      total           41.75 GiB  44.82 GB
    Source: llama.cpp v0.5.0 ...

    References
    ----------
    data/README.md says how the engine was asked.
    """
    record = load_model(model)
    in_file = engine_weights(record.name, weights)
    beside = engine_context(record.name, context_tokens)
    tokens = beside.context_tokens
    title = f"llama.cpp: {record.name} at {in_file.file_type}, {tokens:,} tokens of context"
    return Breakdown(
        title,
        (
            _reported("weights", in_file.weights_mib),
            _reported("KV cache", beside.kv_cache_mib),
            _reported("compute buffer", beside.compute_buffer_mib),
        ),
        note=f"Source: {beside.source}. {beyond_native(record, tokens)}".strip(),
    )


def native_contexts(model: Model) -> tuple[int, ...]:
    """The contexts in tokens that the engine was asked about and the model was made for."""
    native = model.max_position_embeddings
    return tuple(tokens for tokens in engine_contexts(model.name) if tokens <= native)


def _count_text(parameters: Fraction) -> str:
    if parameters >= BILLION:
        return f"{number_text(round(parameters / BILLION, 3))} billion"
    return number_text(round(parameters))


def _reported(name: str, mib: Fraction) -> Term:
    return product(name, Factor(mib, "MiB"), Factor(MIB, "bytes per MiB"))


@dataclass(frozen=True)
class RuleGap:
    """The rule of thumb beside what llama.cpp reserves. Make one with `rule_of_thumb_gap`.

    Parameters
    ----------
    model : Model
        What was sized.
    weights : str
        A llama.cpp file type.
    context_tokens : int
        Tokens of context.
    rule, engine : Breakdown
        The formula's answer and llama.cpp's buffers on the device, in bytes.
    """

    model: Model
    weights: str
    context_tokens: int
    rule: Breakdown
    engine: Breakdown

    @property
    def error(self) -> float:
        """The rule's error as a share of the engine's total; -0.2 is a fifth too little."""
        return float(self.rule.total.usual / self.engine.total.usual - 1)

    @property
    def needed_overhead(self) -> float:
        """What the rule's 1.2 would have to be, the engine's total divided by P · Q/8."""
        return float(self.engine.total.usual / self.rule["weights"].usual)


def rule_of_thumb_gap(model: Model | str, *, weights: str, context_tokens: int) -> RuleGap:
    """Hold the rule of thumb against the buffers that llama.cpp reserves on a device.

    The rule gets the model's exact P, and as Q the bits in the file type's name. The buffers are
    those of `vram_budget`, without the driver's own memory: a 16-bit cache, one conversation.

    Parameters
    ----------
    model : Model or str
        A model, or the name of one in the catalog, as people type it.
    weights : str
        A llama.cpp file type.
    context_tokens : int
        Tokens of context.

    Returns
    -------
    RuleGap

    Raises
    ------
    UnknownName, InvalidInput
        As `vram_budget` does.

    Examples
    --------
    >>> gap = rule_of_thumb_gap("Llama-3.1-8B", weights="Q4_K_M", context_tokens=8192)
    >>> round(gap.error, 2), round(gap.needed_overhead, 2)
    (-0.17, 1.45)
    """
    shape = load_model(model) if isinstance(model, str) else model
    expect_model(shape)
    file_type = load_file_type(weights).name
    budget = vram_budget(shape, weights=file_type, context_tokens=context_tokens)
    buffers = tuple(term for term in budget.terms if term.name != "runtime")
    return RuleGap(
        shape,
        file_type,
        context_tokens,
        rule_of_thumb(parameters=shape.parameters, bits=nominal_bits(file_type)),
        Breakdown(f"llama.cpp: {budget.title}", buffers, note=budget.note),
    )


def rule_of_thumb_gaps() -> list[RuleGap]:
    """Hold the rule against each model that llama.cpp was asked about, up to its own context.

    Returns
    -------
    list of RuleGap
        Every file type and context of `engine_report`, in catalog order.

    Examples
    --------
    >>> len(rule_of_thumb_gaps())
    448
    """
    return [
        rule_of_thumb_gap(model, weights=weights, context_tokens=tokens)
        for model in reported_models()
        for weights in engine_file_types(model.name)
        for tokens in native_contexts(model)
    ]
