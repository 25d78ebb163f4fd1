"""read_config: from a Hugging Face config.json to a Model."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from llmsizing.architecture.config import Config
from llmsizing.architecture.families import FAMILIES, Family
from llmsizing.architecture.model import Model
from llmsizing.errors import (
    LONGEST_NAME,
    InvalidInput,
    UnknownName,
    exact_number,
    expect,
    nearest,
    shown,
)
from llmsizing.units import MB, format_bytes

LARGEST_FILE = 10 * MB

#: Fields of `Model` that no config.json tells.
ABOUT = tuple(field.name for field in fields(Model) if field.default is not MISSING)
TOLD = tuple(field.name for field in fields(Model) if field.default is MISSING)

#: Under these keys a model with eyes or ears keeps its language model's config.
TEXT_KEYS = ("text_config", "llm_config", "language_config", "thinker_config")

#: model_types whose language model has a name of its own.
TEXT_TYPES = {
    "gemma3": "gemma3_text", "gemma3n": "gemma3n_text", "gemma4": "gemma4_text",
    "gemma4_unified": "gemma4_unified_text", "llama4": "llama4_text", "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text", "qwen2_vl": "qwen2_vl_text",
    "qwen2_5_vl": "qwen2_5_vl_text", "qwen3_vl": "qwen3_vl_text",
    "mistral3": "mistral", "kimi_k25": "deepseek_v3", "cohere2_vision": "cohere2",
    "muse_glimmer": "muse_glimmer_text",
}


def read_config(config: str | Path | Mapping[str, Any], *, name: str = "", **known: Any) -> Model:
    """Read a model's shape from its config.json.

    Parameters
    ----------
    config : str, Path or Mapping
        Path of a config.json, or of the folder that it lies in, or its content, as a dict or as
        the text itself, from its first brace on.
    name : str
        What to call the model; by default what the config or its folder is called.
    **known
        Further fields of `Model`, as str: repo, licence, native_type, modality, source,
        source_url, accessed, notes; and vision_parameters, as int or None.

    Returns
    -------
    Model

    Raises
    ------
    InvalidInput
        If the file cannot be read, is no JSON object, lacks a key, or a value makes no sense.
    UnknownName
        If the model_type is of no family that this package knows, or a keyword is none of these.

    Examples
    --------
    >>> model = read_config({
    ...     "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    ...     "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    ...     "vocab_size": 128256, "max_position_embeddings": 131072})
    >>> model.parameters
    8030261248

    References
    ----------
    transformers==5.23.0: models/*/modeling_*.py; counts are compared with its classes.
    """
    expect("name", name, str)
    for field, value in known.items():
        _check_known(field, value)
    values, where = _loaded(config)
    text, kind = _language_model(values, where)
    family = FAMILIES[kind]
    c = Config(text, where, family.defaults)
    model = Model(
        name=name or _name(config, values),
        model_type=kind,
        hidden_size=c.whole("hidden_size"),
        vocab_size=c.whole("vocab_size"),
        max_position_embeddings=c.whole("max_position_embeddings", None),
        tie_word_embeddings=c.flag("tie_word_embeddings"),
        **_built(family, c),
        **{"native_type": _native_type(values), "modality": _modality(values), **known},
    )
    empty = [tensor for tensor, _ in model.tensor_counts if min(tensor.shape) < 1]
    if empty:
        raise InvalidInput(f"{where}: its values make {empty[0].name} of the shape"
                           f" {empty[0].shape}; every number must be at least 1.")
    return model


def _check_known(field: str, value: object) -> None:
    if field in TOLD:
        raise InvalidInput(f"{field} is read from the config: change it there.")
    if field not in ABOUT:
        raise nearest("keyword of read_config", field, ABOUT)
    if field != "vision_parameters":
        expect(field, value, str)
    elif value is not None:
        exact_number(field, value, at_least=0)
        expect(field, value, int, "a number of parameters, or None")


def _built(family: Family, c: Config) -> dict[str, tuple]:
    """Layers and the tensors around them. What a family does not check itself is reported here."""
    try:
        return {"layers": tuple(family.layers(c)), "others": tuple(family.around(c))}
    except InvalidInput:
        raise
    except (ArithmeticError, ValueError) as error:
        raise InvalidInput(f"{c.where}: a value has the wrong kind or length for this family"
                           f" ({error}).") from None


def _loaded(config: str | Path | Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The JSON object, and what to call it in messages."""
    if isinstance(config, Mapping):
        return config, "config"
    if not isinstance(config, (str, Path)):
        raise InvalidInput(f"A config is a path or a dict, not {type(config).__name__}.")
    if isinstance(config, str) and config.lstrip().startswith("{"):
        return _parsed(config, "config"), "config"
    path = Path(config)
    try:
        path = path / "config.json" if path.is_dir() else path
        if path.exists() and not path.is_file():
            raise InvalidInput(f"{path} is no file that can be read to its end.")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise InvalidInput(f"{path} has {format_bytes(size)}; a config.json has a few KiB.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"{str(path)[:LONGEST_NAME]} cannot be read: {_reason(error)}.") from None
    return _parsed(text, str(path)), str(path)


def _parsed(text: str, where: str) -> Mapping[str, Any]:
    if len(text) > LARGEST_FILE:
        raise InvalidInput(f"{where} has {format_bytes(len(text))}; a config.json has a few KiB.")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{where} cannot be read as JSON: {_reason(error)}.") from None
    if not isinstance(values, dict):
        raise InvalidInput(f"{where} holds a {type(values).__name__}, but a config is an object"
                           " {…}.")
    return values


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8, as a config.json is"
    if isinstance(error, json.JSONDecodeError):
        cut = "; is it cut off?" if error.pos >= len(error.doc.rstrip()) else ""
        return f"{error.msg} in line {error.lineno}, column {error.colno}{cut}"
    return str(error) or type(error).__name__


def _language_model(values: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], str]:
    """The config of the language model inside, and its model_type."""
    outer, text = values.get("model_type"), values
    for _ in range(2):  # thinker_config holds a text_config
        inner = next((text[key] for key in TEXT_KEYS if isinstance(text.get(key), Mapping)), None)
        if inner is None:
            break
        outermost = ("tie_word_embeddings",)  # it ties the whole model's embeddings
        text = {**inner, **{key: text[key] for key in outermost if key in text}}
    kind = text.get("model_type") or outer
    if not isinstance(kind, str) or not kind:
        found = "missing" if kind in (None, "") else f"{shown(kind)}, but must be text"
        raise InvalidInput(f"{where}: model_type is {found}; it names the family, such as llama.")
    kind = TEXT_TYPES.get(kind, kind)
    if kind not in FAMILIES:
        raise UnknownName(f"{where}: {nearest('family (model_type)', kind, FAMILIES)}")
    return text, kind


def _name(config: Any, values: Mapping[str, Any]) -> str:
    stated = str(values.get("_name_or_path") or "").rstrip("/").rpartition("/")[2]
    text = isinstance(config, str) and config.lstrip().startswith("{")
    if stated or text or isinstance(config, Mapping):
        return stated or "this model"
    path = Path(config).absolute()
    return path.name if path.is_dir() else path.parent.name if path.stem == "config" else path.stem


def _native_type(values: Mapping[str, Any]) -> str:
    """How the weights are stored: the quantization if there is one, else the dtype."""
    quantized = values.get("quantization_config")
    if isinstance(quantized, Mapping) and quantized.get("quant_method"):
        return str(quantized["quant_method"])
    inner = next((values[key] for key in TEXT_KEYS if isinstance(values.get(key), Mapping)), {})
    kind = next((found[key] for found in (values, inner) for key in ("torch_dtype", "dtype")
                 if found.get(key)), "")
    short = {"bfloat16": "bf16", "float16": "f16", "float32": "f32"}
    return short.get(kind, kind) if isinstance(kind, str) else ""


def _modality(values: Mapping[str, Any]) -> str:
    senses = [sense for sense, key in (("image", "vision_config"), ("audio", "audio_config"))
              if values.get(key)]
    return ", ".join(["text", *senses])
