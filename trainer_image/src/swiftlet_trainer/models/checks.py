"""Can this folder be trained or served? Every problem at once, before anything heavy is loaded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
"""Any one of them is a vocabulary that transformers reads."""
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def folder_problems(folder: Path, name: str, chat: bool = True) -> list[str]:
    """What keeps `folder` from being used as model `name`, one line each with its remedy; empty when nothing does.

    chat: also ask for a chat template, which conversations need and plain text does not.
    """
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        return [f"model {name}: {folder} {found}; put the model's folder there, or correct the URI"]
    problems = [*_config(folder), *_tokenizer(folder, chat), *_weights(folder)]
    return [f"model {name}: {problem}" for problem in problems]


def _config(folder: Path) -> Iterator[str]:
    config, broken = json_object(folder / "config.json")
    if broken:
        yield broken
        return
    if "auto_map" in config:
        yield (
            f"{folder / 'config.json'} has auto_map: the model brings its own program code, which is never run; "
            "use a model whose architecture transformers knows"
        )
        return
    from transformers import __version__
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    kind = config.get("model_type")
    if kind not in CONFIG_MAPPING_NAMES:
        yield (
            f"{folder / 'config.json'}: model_type {kind!r} is none that transformers {__version__} knows; "
            "use another model or a newer image"
        )


def _tokenizer(folder: Path, chat: bool) -> Iterator[str]:
    if not any((folder / file).exists() for file in TOKENIZER_FILES):
        yield f"no tokenizer in {folder}; copy {TOKENIZER_FILES[0]} and tokenizer_config.json of the model into it"
        return
    settings: dict[str, Any] = {}
    if (folder / "tokenizer_config.json").exists():
        settings, broken = json_object(folder / "tokenizer_config.json")
        if broken:
            yield broken
    if "auto_map" in settings:
        yield f"{folder / 'tokenizer_config.json'} has auto_map: program code of the model's own is never run"
    written = [folder / "chat_template.jinja", folder / "chat_template.json", folder / "additional_chat_templates"]
    if chat and not settings.get("chat_template") and not any(path.exists() for path in written):
        yield (
            f"no chat template in {folder}; use the instruction-tuned variant of the model, "
            "or put its template there as chat_template.jinja"
        )


def _weights(folder: Path) -> Iterator[str]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickles = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
        if pickles:
            yield (
                f"weights are pickled ({pickles[0]}), and reading a pickle may run any program; "
                "convert them with save_pretrained() to safetensors"
            )
        else:
            yield f"no weights (*.safetensors) in {folder}; copy the whole model"
        return
    for file in files:
        yield from safetensors_problems(file)
    index_file = folder / "model.safetensors.index.json"
    if index_file.exists():
        index, broken = json_object(index_file)
        if broken:
            yield broken
        missing = sorted(set(index.get("weight_map", {}).values()) - {file.name for file in files})
        if missing:
            yield f"{index_file} names {', '.join(missing)}, which {folder} lacks; copy the whole model"


def safetensors_problems(file: Path) -> Iterator[str]:
    """Header and length only: a download that broke off is found without reading the weights.

    Format: 8 bytes little-endian length of the JSON header, header, data (source: safetensors' README).
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np"):
            pass
    except (SafetensorError, OSError) as error:
        yield f"{file} is incomplete or damaged ({error}); copy it again"


def json_object(file: Path) -> tuple[dict[str, Any], str | None]:
    """The object in `file` and no problem, or nothing and the problem."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}, f"no {file.name} in {file.parent}; copy the whole model"
    except (ValueError, OSError) as error:
        return {}, f"{file} cannot be read: {error}"
    return (content, None) if isinstance(content, dict) else ({}, f"{file} holds no JSON object")
