"""Budgets: what must lie on a device to run a model, and what lies in RAM beside it."""

from typing import Any

from llmsizing.architecture import Model
from llmsizing.breakdown import Breakdown, Factor, Term, allowance, product
from llmsizing.errors import InvalidInput
from llmsizing.memory.cache import cache_term
from llmsizing.memory.compute import compute_term
from llmsizing.memory.settings import Settings, conversations, settings_of
from llmsizing.memory.weights import weights_term
from llmsizing.units import MB, MIB

LOGIT_BYTES = 4  # F32
MMPROJ_BYTES = 2  # F16


def vram_budget(model: Model, *, weights: str | None = None, **settings: Any) -> Breakdown:
    """What must lie on a device to run a model, all its layers there.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    weights : str, optional
        A llama.cpp file type ("Q4_K_M") or a format ("NF4"); by default as in the file that the
        model was read from. Formats that run in other engines
        than llama.cpp and ExLlama lie whole on the device; cache and buffer are llama.cpp's.
    context_tokens : int
        Tokens of context in all, as llama.cpp's -c counts them; 8192 by default.
    kv_cache : str or (str, str)
        Type of keys and values; "f16" by default.
    sequences : int
        Conversations at once, which share the context; 1 by default.
    unified_kv : bool
        Whether conversations share one cache (default); otherwise each gets its part.
    swa_full : bool
        Whether sliding layers keep the whole context, too; False by default.
    ubatch : int
        Tokens computed at a time; 512 by default.
    vision : bool
        Whether a model's tower for images or sound lies on the device, too: False by default.
    engine : str
        "llama.cpp".

    Returns
    -------
    Breakdown
        In bytes, with the terms "weights", "KV cache", "compute buffer" and "runtime", and
        "vision tower" if it was asked for.

    Raises
    ------
    InvalidInput, UnknownName
        If a setting makes no sense, or a name is not known.

    Examples
    --------
    >>> from llmsizing import load_model
    >>> budget = vram_budget(load_model("Llama-3.1-8B"), weights="Q4_K_M", context_tokens=8192)
    >>> budget["KV cache"].bytes
    1073741824

    References
    ----------
    llama.cpp's own memory breakdown; chapter 2 shows how it was asked.
    """
    given = settings_of(settings)
    terms = [weights_term(model, weights, on_device=True), cache_term(model, given),
             compute_term(model, given)]
    terms += [vision_term(model)] if given.vision else []
    terms.append(runtime_term())
    return Breakdown(_title(model, weights, given), tuple(terms),
                     note=beyond_native(model, given.context_tokens))


def host_budget(model: Model, *, weights: str | None = None, **settings: Any) -> Breakdown:
    """What lies in RAM beside the device: the same arguments as `vram_budget`.

    llama.cpp looks the input embedding up in RAM and keeps the logits there. What it keeps of
    earlier prompts (--cache-ram, up to 8 GiB by default) grows as they come and is not in it.

    Returns
    -------
    Breakdown
        In bytes, with the terms "weights" and "output buffer".

    Examples
    --------
    >>> from llmsizing import load_model
    >>> print(host_budget(load_model("Llama-3.1-8B"), weights="Q8_0"))
    RAM beside the device: Llama-3.1-8B at Q8_0, 8,192 tokens of context
      weights        0.52 GiB  in Q8_0
        in Q8_0      0.52 GiB  558,170,112 bytes
      output buffer  0.00 GiB  1 conversation × 128,256 logits × 4 bytes
      total          0.52 GiB  0.56 GB
    """
    given = settings_of(settings)
    terms = (
        weights_term(model, weights, on_device=False),
        product("output buffer", Factor(given.sequences, conversations(given)),
                Factor(model.vocab_size, "logits"), Factor(LOGIT_BYTES, "bytes")),
    )
    return Breakdown(f"RAM beside the device: {_title(model, weights, given)}", terms)


def vision_term(model: Model) -> Term:
    """A model's tower for images or sound: a file of its own (mmproj), mostly in F16."""
    if model.vision_parameters is None:
        raise InvalidInput(
            f"The size of a vision tower of {model.name} is not known; it reads {model.modality}."
            " Leave vision=False, and add the size of its mmproj file."
        )
    return product("vision tower", Factor(model.vision_parameters, "parameters"),
                   Factor(MMPROJ_BYTES, "bytes (F16)"))


def runtime_term() -> Term:
    """What the driver takes for a program that uses the card, before it has loaded anything."""
    return allowance(
        "runtime", "bytes", low=120 * MB, usual=256 * MIB, high=550 * MB,
        source="CUDA contexts: 256 MiB on an RTX 3090 (invoke-ai/InvokeAI#9413), 426 MiB on an"
               " RTX 6000 Ada (unslothai/unsloth-zoo#1053), 120 to 550 MB depending on the card"
               " (ggml-org/llama.cpp#20595)",
    )


def beyond_native(model: Model, context_tokens: int) -> str:
    """Say in a sentence that a context is longer than the model's own, or nothing if it is not."""
    native = model.max_position_embeddings
    if native is None or context_tokens <= native:
        return ""
    return (f"{model.name} was made for {native:,} tokens: llama.cpp reserves memory for more if"
            " asked, but the model does not answer well there.")


def _title(model: Model, weights: str | None, settings: Settings) -> str:
    weights = "its file's own types" if weights is None else weights
    slots = f", {settings.sequences:,} {conversations(settings)}" if settings.sequences > 1 else ""
    return f"{model.name} at {weights}, {settings.context_tokens:,} tokens of context{slots}"
