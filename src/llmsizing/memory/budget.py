"""Budgets: what must lie on a device to run a model, and what lies in RAM beside it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from llmsizing.architecture import Model
from llmsizing.breakdown import Breakdown, Factor, Term, product, sum_of
from llmsizing.engines import load_engine
from llmsizing.errors import InvalidInput, expect, shown
from llmsizing.memory.asked import Asked
from llmsizing.memory.cache import cache_term
from llmsizing.memory.compute import (
    compute_term,
    copied_weights,
    host_compute_term,
    is_pipeline,
    output_term,
    pipeline_term,
)
from llmsizing.memory.other_engines import engine_terms
from llmsizing.memory.placement import RAM, Placement, placement
from llmsizing.memory.runtime import driver_term, prompt_cache_term
from llmsizing.memory.settings import LLAMA_CPP, Settings, conversations, settings_of
from llmsizing.memory.weights import layout_of, titled, weights_term

MMPROJ_BYTES = 2  # F16


def vram_budget(model: Model, *, weights: str | None = None, draft: Breakdown | None = None,
                beside: Breakdown | Iterable[Breakdown] = (), **settings: Any) -> Breakdown:
    """What must lie on the device, or on all devices together, to run a model.

    Parameters
    ----------
    model : Model
        From `load_model` or `read_config`.
    weights : str, optional
        A llama.cpp file type ("Q4_K_M") or a format ("NF4"); by default as in the file that the
        model was read from. Formats that run in other engines than llama.cpp and ExLlama lie whole
        on the device; cache and buffer are llama.cpp's.
    draft : Breakdown, optional
        The budget of a draft model in the same program (speculative decoding).
    beside : Breakdown or iterable of Breakdown
        Budgets of other models on the same device, each in a program of its own: an embedding
        model beside the language model.
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
    flash_attention, logits, backend
        As `Settings` describes them: True, "last" and "cuda" by default.
    devices : int or sequence of Device
        Devices that share the layers; 1 by default.
    offload : int or "all"
        Layers on the devices, as llama.cpp's -ngl counts them; "all" by default.
    experts_on_cpu : int
        Of how many layers the experts stay in RAM (--n-cpu-moe); 0 by default.
    vision : bool
        Whether a model's tower for images or sound lies on the device, too: False by default.
    engine : str
        "llama.cpp" by default; "Ollama", "LM Studio", "vLLM", "transformers", "MLX". With another
        than llama.cpp, what is left out becomes what that engine takes; `load_engine` says it.
    gpu_memory_utilization, max_num_batched_tokens, max_num_seqs, enforce_eager
        vLLM's own, as `Settings` describes them.

    Returns
    -------
    Breakdown
        In bytes, with the terms "weights", "KV cache", "compute buffer" and "runtime", and
        "vision tower", "draft model" and the titles of ``beside`` if they were asked for. Its
        ``asked`` is an `Asked`: model, weights and settings.

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
    each = [_device_terms(model, weights, given, device) for device in range(given.device_count)]
    names = _device_names(given)
    terms = each[0] if len(each) == 1 else [
        sum_of(same[0].name, *(replace(term, name=name) for term, name in zip(same, names, strict=True)))
        for same in zip(*each, strict=True)]
    terms += _beside(model, given, draft, beside)
    return Breakdown(_title(model, weights, given), tuple(terms),
                     note=beyond_native(model, given.conversation_tokens, given.engine),
                     asked=Asked(model, weights, given))


def device_budgets(model: Model, *, weights: str | None = None, **settings: Any) -> tuple[Breakdown, ...]:
    """What must lie on each of several devices, in their order.

    llama.cpp gives each device a run of whole layers, in proportion to its memory, and its own
    compute buffer; the last one gets the output layer as well.

    Parameters
    ----------
    model, weights, **settings
        As in `vram_budget`, with ``devices``.

    Returns
    -------
    tuple of Breakdown
        One for each device, in bytes; together they are what `vram_budget` says. A vision
        tower lies on the first.

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does.

    Examples
    --------
    >>> from llmsizing import format_bytes, load_device, load_model
    >>> cards = [load_device("RTX 3090"), load_device("RTX 3060 12 GB")]
    >>> budgets = device_budgets(load_model("Qwen3-32B"), weights="Q4_K_M", devices=cards)
    >>> [format_bytes(budget["weights"].bytes) for budget in budgets]
    ['11.90 GiB', '6.10 GiB']
    """
    given = settings_of(settings)
    names = _device_names(given)
    budgets = []
    for device in range(given.device_count):
        terms = _device_terms(model, weights, given, device)
        terms += _beside(model, given, None, ()) if device == 0 else []
        budgets.append(Breakdown(f"{names[device]}: {_title(model, weights, given)}", tuple(terms)))
    return tuple(budgets)


def host_budget(model: Model, *, weights: str | None = None, **settings: Any) -> Breakdown:
    """What lies in RAM beside the device: the same arguments as `vram_budget`.

    llama.cpp looks the input embedding up in RAM and keeps the logits there. Layers and experts
    that are not offloaded lie there, too. Earlier prompts come to it, until ``cache_ram_mib`` is
    full: 8 GiB by default.

    Parameters
    ----------
    model, weights, **settings
        As in `vram_budget`.
    cache_ram_mib : int
        RAM that llama-server may fill with earlier prompts, in MiB (--cache-ram); 0 for none.

    Returns
    -------
    Breakdown
        In bytes, with the terms "weights", "KV cache" (where layers stay in RAM), "compute
        buffer" (what is made there for the device), "output buffer" and "prompt cache".

    Raises
    ------
    InvalidInput, UnknownName
        As `vram_budget` does.

    Examples
    --------
    >>> from llmsizing import format_bytes, load_model
    >>> ram = host_budget(load_model("Llama-3.1-8B"), weights="Q8_0")
    >>> for term in ram.terms:
    ...     print(f"{term.name}: {format_bytes(term.bytes)}")
    weights: 532.31 MiB
    compute buffer: 24.01 MiB
    output buffer: 501.00 KiB
    prompt cache: 0 B
    """
    given = settings_of(settings)
    if load_engine(given.engine).family != LLAMA_CPP:  # they keep all of it on the device
        return Breakdown(f"RAM beside the device: {_title(model, weights, given)}",
                         (product("weights", Factor(0, "bytes")),))
    placed = placement(model, given, layout_of(model, weights))
    terms = (weights_term(model, weights, placed, RAM), *ram_beside_weights(model, given, placed))
    return Breakdown(f"RAM beside the device: {_title(model, weights, given)}", terms)


def ram_beside_weights(model: Model, settings: Settings, placed: Placement) -> list[Term]:
    """What llama.cpp keeps in RAM beside weights: the same for every file type."""
    layers = placed.layers_at(RAM)
    terms = [cache_term(model, settings, layers)] if layers else []
    terms += [host_compute_term(model, settings)] if settings.backend != "cpu" else []
    terms.append(output_term(model, settings))
    return terms + ([prompt_cache_term(settings.cache_ram_mib)] if _caches_prompts(settings) else [])


def _caches_prompts(settings: Settings) -> bool:
    return settings.cache_ram_mib > 0 and "cache_ram_mib" in load_engine(settings.engine).settings


def _device_terms(model: Model, weights: str | None, settings: Settings, device: int) -> list[Term]:
    if load_engine(settings.engine).family != LLAMA_CPP:
        return engine_terms(model, weights, settings)
    placed = placement(model, settings, layout_of(model, weights))
    copies = copied_weights(model, weights, placed) if device == 0 else None
    return [weights_term(model, weights, placed, device),
            *terms_beside_weights(model, settings, placed, device, copies=copies)]


def terms_beside_weights(model: Model, settings: Settings, placed: Placement, device: int = 0, *,
                         copies: Term | None = None) -> list[Term]:
    """What llama.cpp keeps on a device beside the weights: the same for every file type.

    All but ``copies``, the weights that lie in RAM and pass through the device.
    """
    layers = placed.layers_at(device)
    everything = len(layers) == model.num_hidden_layers
    step = compute_term(model, settings, copies=copies)
    if is_pipeline(settings, placed):
        step = sum_of(step.name, *step.members, pipeline_term(model, settings, first=device == 0))
    return [cache_term(model, settings, None if everything else layers), step,
            driver_term(backend=settings.backend)]


def _device_names(settings: Settings) -> list[str]:
    """What the devices are called, each by another name."""
    names = (["device"] * settings.devices if isinstance(settings.devices, int)
             else [device.name for device in settings.devices])
    counts = Counter(names)
    return [f"{name} {names[:number + 1].count(name)}" if counts[name] > 1 else name
            for number, name in enumerate(names)]


def _beside(model: Model, settings: Settings, draft: Breakdown | None,
            beside: Breakdown | Iterable[Breakdown]) -> list[Term]:
    """What shares the device with the model itself."""
    terms = [vision_term(model)] if settings.vision else []
    if draft is not None:
        expect("draft", draft, Breakdown, "vram_budget of the draft model makes one")
        own = [term for term in draft.terms if term.name != "runtime"]  # it runs in the same program
        terms.append(sum_of("draft model", *own))
    for budget in [beside] if isinstance(beside, Breakdown) else _listed(beside):
        expect("each of beside", budget, Breakdown, "vram_budget of the other model makes one")
        terms.append(sum_of(budget.title, *budget.terms))
    return terms


def _listed(beside: object) -> Iterable[object]:
    if isinstance(beside, Iterable):
        return beside
    raise InvalidInput("beside must be a list of budgets, as vram_budget makes them, not"
                       f" {shown(beside)}.")


def vision_term(model: Model) -> Term:
    """A model's tower for images or sound: a file of its own (mmproj), mostly in F16."""
    if model.vision_parameters is None:
        raise InvalidInput(
            f"The size of a vision tower of {model.name} is not known; it reads {model.modality}."
            " Leave vision=False, and add the size of its mmproj file."
        )
    return product("vision tower", Factor(model.vision_parameters, "parameters"),
                   Factor(MMPROJ_BYTES, "bytes (F16)"))


def beyond_native(model: Model, context_tokens: int, engine: str = LLAMA_CPP) -> str:
    """Say in a sentence that a context is longer than the model's own, or nothing if it is not."""
    native = model.max_position_embeddings
    if native is None or context_tokens <= native:
        return ""
    return (f"{model.name} was made for {native:,} tokens: {engine} reserves memory for more if"
            " asked, but the model does not answer well there.")


def _title(model: Model, weights: str | None, settings: Settings) -> str:
    slots = f", {settings.sequences:,} {conversations(settings)}" if settings.sequences > 1 else ""
    return f"{model.name} {titled(weights)}, {settings.context_tokens:,} tokens of context{slots}"
