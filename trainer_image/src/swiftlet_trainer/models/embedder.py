"""How the hidden states of a model become the vector of a text: read and written as sentence-transformers has it.

modules.json                          the parts: the model, what pools its hidden states, and makes the length 1
1_Pooling/config.json                 which hidden states are taken
sentence_bert_config.json             the longest text in tokens
config_sentence_transformers.json     what is written in front of queries and documents
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.tasks import Task
from swiftlet.api.v1alpha1.tasks.embedding import Pooling

from swiftlet_trainer.artifact.manifest import is_artifact, read_manifest
from swiftlet_trainer.failures import InvalidInput

MODULES_FILE, POOLING_FILE = "modules.json", "1_Pooling/config.json"
LENGTH_FILE, PROMPTS_FILE = "sentence_bert_config.json", "config_sentence_transformers.json"
EMBEDDER_FILES = (MODULES_FILE, POOLING_FILE, LENGTH_FILE, PROMPTS_FILE)
MODULES = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
"""Classes of sentence_transformers.models, and their folders."""
MODES: Mapping[str, Pooling] = {
    "pooling_mode_lasttoken": "last",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
}
OTHER_MODES = ("pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens")


@dataclass(frozen=True)
class Embedder:
    """Which hidden states are the vector of a text, whose length is made 1; and what is written before it."""

    pooling: Pooling = "last"
    query_prompt: str = ""
    document_prompt: str = ""


AS_DEFAULT = Embedder()
"""Of a model that does not say."""


def makes_vectors(folder: Path) -> bool:
    """Whether a model's or an adapter's folder says that vectors are what it is for."""
    return (folder / POOLING_FILE).is_file()


def read_embedder(folder: Path) -> Embedder | None:
    """What a model's or an adapter's folder says; None where it says nothing. Raises InvalidInput for parts that are
    not computed here."""
    file = folder / POOLING_FILE
    if not makes_vectors(folder):
        return None
    modules = [one["type"].rpartition(".")[-1] for one in _read(folder / MODULES_FILE, [])]
    if others := [name for name in modules if name not in MODULES]:
        raise InvalidInput([f"{folder / MODULES_FILE}: {', '.join(others)} is not computed here; use another model"])
    config = _read(file, {})
    said = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
    if len(said) != 1 or said[0] not in MODES:
        what = ", ".join(said) or "no pooling_mode"
        raise InvalidInput([f"{file}: {what} is not computed here; known is one of {', '.join(MODES)}"])
    prompts = _read(folder / PROMPTS_FILE, {}).get("prompts") or {}
    return Embedder(MODES[said[0]], prompts.get("query") or "", prompts.get("document") or "")


def matryoshka_dims(folder: Path) -> tuple[int, ...]:
    """Lengths of the beginnings of its vectors that what lies in a model's or an adapter's folder has learnt to be
    vectors, too."""
    if is_artifact(folder):
        block = Task.model_validate(read_manifest(folder).parameters.get("task", {})).embedding
        return tuple(block.matryoshka_dims or ()) if block else ()
    return tuple(_read(folder / "config.json", {}).get("matryoshka_dimensions") or ())


def write_embedder(folder: Path, embedder: Embedder, hidden_size: int, max_length: int) -> None:
    """Write the files beside a model or an adapter. max_length: tokens of the longest text."""
    for path in MODULES.values():
        (folder / path).mkdir(exist_ok=True)
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{name}"}
        for index, (name, path) in enumerate(MODULES.items())
    ]
    modes = {name: MODES.get(name) == embedder.pooling for name in (*MODES, *OTHER_MODES)}
    _write(folder / MODULES_FILE, modules)
    _write(folder / POOLING_FILE, {"word_embedding_dimension": hidden_size, **modes, "include_prompt": True})
    _write(folder / LENGTH_FILE, {"max_seq_length": max_length, "do_lower_case": False})
    prompts = {"query": embedder.query_prompt, "document": embedder.document_prompt}
    _write(folder / PROMPTS_FILE, {"prompts": prompts, "default_prompt_name": None, "similarity_fn_name": "cosine"})


def _read(file: Path, otherwise: Any) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else otherwise


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
