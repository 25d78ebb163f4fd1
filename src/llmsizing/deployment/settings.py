"""settings: from a budget to the commands and files that an engine takes."""

from dataclasses import fields

from llmsizing.breakdown import Breakdown
from llmsizing.deployment.checkpoints import (
    MLX_SPEC,
    TRANSFORMERS_SPEC,
    VLLM_SPEC,
    mlx_steps,
    transformers_steps,
    vllm_steps,
)
from llmsizing.deployment.launch import Launch
from llmsizing.deployment.llama_family import (
    OLLAMA_SPEC,
    SPEC,
    STUDIO_SPEC,
    Wanted,
    llama_cpp_steps,
    lm_studio_notes,
    lm_studio_steps,
    ollama_steps,
)
from llmsizing.engines import Engine, load_engine
from llmsizing.errors import InvalidInput, expect, fold, shown
from llmsizing.memory import vram_budget
from llmsizing.memory.asked import Asked
from llmsizing.memory.settings import LLAMA_CPP, Settings, settings_of
from llmsizing.memory.weights import layout_of

LLAMA_SERVE = "llama serve"  #: llama.cpp's one program since 2026; llama-server is still there
LONGEST_PATH = 4096  # what Linux opens
WRITERS = {"Ollama": (ollama_steps, OLLAMA_SPEC), "LM Studio": (lm_studio_steps, STUDIO_SPEC),
           "vLLM": (vllm_steps, VLLM_SPEC), "transformers": (transformers_steps, TRANSFORMERS_SPEC),
           "MLX": (mlx_steps, MLX_SPEC)}


def settings(budget: Breakdown, engine: str | None = None, *, file: str | None = None) -> Launch:
    """Turn a budget into the settings of an engine: every flag with the bytes that it governs.

    Parameters
    ----------
    budget : Breakdown
        From `vram_budget`.
    engine : str, optional
        "llama.cpp" (llama-server), "llama serve", "Ollama", "LM Studio", "vLLM", "transformers"
        or "MLX"; by default the budget's own. For another one the budget is made anew, because
        the same settings take other bytes there: the result's ``budget`` has them.
    file : str, optional
        Where the weights lie: a GGUF file, or for vLLM, transformers and MLX a folder or
        repository. By default a name made of model and file type, in the folder where one is.

    Returns
    -------
    Launch
        Print it: commands, files, and a comment for each flag. Its ``command`` is for a POSIX
        shell, its ``powershell`` for Windows, its ``files`` are what to write.

    Raises
    ------
    UnknownName
        If there is no such engine.
    InvalidInput
        If the budget is none of `vram_budget`, the engine does not run its weights or lacks one of
        its settings, or the file's name cannot stand in a command.

    Examples
    --------
    >>> from llmsizing import load_model, vram_budget
    >>> budget = vram_budget(load_model("Llama-3.1-8B"), weights="Q4_K_M", context_tokens=8192)
    >>> print(settings(budget, "llama.cpp"))
    # llama.cpp 0c1e57098 (2026-10-01): Llama-3.1-8B at Q4_K_M, 8,192 tokens of context
    <BLANKLINE>
    llama-server -m Llama-3.1-8B-Q4_K_M.gguf -ngl all -c 8192 -np 1 -fa on
    #   -m    the file of weights (weights 4.30 GiB)
    #   -ngl  layers on the device (weights 4.30 GiB + KV cache 1.00 GiB)
    #   -c    tokens of context in all (KV cache 1.00 GiB + compute buffer 0.11 GiB)
    #   -np   conversations at once (KV cache 1.00 GiB + compute buffer 0.11 GiB)
    #   -fa   attention in pieces (compute buffer 0.11 GiB)

    References
    ----------
    Each result names its own in ``source``.
    """
    expect("budget", budget, Breakdown, "vram_budget makes one")
    if not isinstance(budget.asked, Asked):
        raise InvalidInput(f"{budget.title!r} does not know its model and settings: give what vram_budget"
                           " makes, not a part of it or a sum.")
    serve = engine is not None and isinstance(engine, str) and fold(engine) == fold(LLAMA_SERVE)
    target = load_engine(LLAMA_CPP if serve else engine or budget.asked.settings.engine)
    asked = budget.asked
    _expect_runs(target, asked)
    if target.name != asked.settings.engine:
        budget = vram_budget(asked.model, weights=asked.weights, engine=target.name,
                             **_carried(asked, target))
        asked = budget.asked
    wanted = Wanted(model=asked.model, weights=asked.weights, settings=asked.settings,
                    file=_file(asked, target, file), terms=tuple(term.name for term in budget.terms))
    if target.name == LLAMA_CPP:
        program = ("llama", "serve") if serve else ("llama-server",)
        steps, source = llama_cpp_steps(wanted, program=program), SPEC
    else:
        write, source = WRITERS[target.name]
        steps = write(wanted)
    notes = lm_studio_notes(wanted) if target.name == "LM Studio" else ()
    return Launch(engine=target.name, version=target.version, source=source, budget=budget, steps=steps,
                  notes=(*notes, *_beside(budget)))


def _expect_runs(engine: Engine, asked: Asked) -> None:
    """Refuse weights that the engine cannot load."""
    family = layout_of(asked.model, asked.weights).family
    if engine.family == LLAMA_CPP and not family.startswith("GGUF"):
        raise InvalidInput(f"{engine.name} runs GGUF files, no {asked.weights or 'safetensors'}: choose a"
                           ' file type such as weights="Q4_K_M", or an engine that runs it.')


def _carried(asked: Asked, target: Engine) -> dict[str, object]:
    """The settings that differ from what the budget's own engine takes, for another engine.

    The context is what each conversation gets, or all together, as the other engine counts it.
    """
    given, own = asked.settings, load_engine(asked.settings.engine)
    each = {"sequences": given.sequences, "devices": given.devices,
            "context_tokens": given.conversation_tokens if own.context_is_each else given.context_tokens}
    usual = settings_of({"engine": own.name, **each})
    changed = {field.name: getattr(given, field.name) for field in fields(Settings)
               if field.name not in each and getattr(given, field.name) != getattr(usual, field.name)}
    tokens = given.conversation_tokens if target.context_is_each else given.context_tokens
    return {**changed, **each, "context_tokens": tokens}


def _file(asked: Asked, engine: Engine, file: str | None) -> str:
    """Where the weights lie, as a word that starts no flag."""
    if file is None:
        name = "-".join(filter(None, (asked.model.name, asked.weights))).replace(" ", "-")
        own = engine.family != LLAMA_CPP and _made_while_loading(asked) and asked.model.repo
        file = own or (f"{name}.gguf" if engine.family == LLAMA_CPP else name)
    expect("file", file, str, "write the path of the weights")
    broken = [letter for letter in file if ord(letter) < 32 or ord(letter) == 127]
    if broken or not file.strip() or len(file) > LONGEST_PATH:
        raise InvalidInput(f"file must be a path in one line, not {shown(file)}: "
                           + ("rename the file." if broken else "name the file of weights."))
    return f"./{file}" if file.startswith("-") else file


def _made_while_loading(asked: Asked) -> bool:
    """Whether the engine makes these weights from the model's own repository."""
    family = layout_of(asked.model, asked.weights).family
    return family in ("GGUF plain", "bitsandbytes", "MLX")


def _beside(budget: Breakdown) -> tuple[str, ...]:
    """What of a budget these commands do not start."""
    known = {"weights", "KV cache", "compute buffer", "runtime", "vision tower", "CUDA graphs"}
    others = [term.name for term in budget.terms if term.name not in known]
    return (f"Not started by this: {', '.join(others)}.",) if others else ()


