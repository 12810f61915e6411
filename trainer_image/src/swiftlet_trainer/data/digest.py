"""Which bytes a run was trained on, and the key under which prepared data is kept."""

import hashlib
import json
from importlib.metadata import version
from typing import Any

from swiftlet.wire.documents import ResolvedDataset, TrainDocument

from swiftlet_trainer.data.encode import ENCODER
from swiftlet_trainer.models.context import context_length
from swiftlet_trainer.models.digest import file_digest
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.templates.prompt_template import TODAY

PREPARATION = 2
"""Raised when the same input would be prepared otherwise."""
PACKAGES = ("tokenizers", "transformers", "trl", "jinja2")
"""What makes tokens of rows: the tokenizer, its settings, training variants of chat templates, and their language."""
TOKENIZER_PATTERNS = (
    "token*",
    "*.jinja",
    "chat_template*",
    "special_tokens*",
    "added_tokens*",
    "vocab*",
    "merges*",
    "*.model",
)


def data_digest(document: TrainDocument) -> str:
    """`sha256:` over the content of the data files and how their rows are chosen; not over where they lie."""
    return "sha256:" + _hashed([_described(dataset) for dataset in document.datasets])


def preparation_key(document: TrainDocument) -> str:
    """Name of the prepared data: over everything that the tokens and the choice of rows depend on."""
    folder = model_folder(document.model)
    files = {file for pattern in TOKENIZER_PATTERNS for file in folder.glob(pattern) if file.is_file()}
    return _hashed(
        {
            "preparation": PREPARATION,
            "encoder": ENCODER,
            "date": TODAY.isoformat(),
            "packages": {name: version(name) for name in PACKAGES},
            "context": context_length(folder),
            "datasets": [_described(dataset) for dataset in document.datasets],
            "tokenizer": {file.name: file_digest(file) for file in sorted(files)},
            "template": document.template.document(),
            "task": document.task.document(),
            "seed": document.training.seed,
            "evalFraction": document.training.eval_fraction,
        }
    )[:32]


def _described(dataset: ResolvedDataset) -> dict[str, Any]:
    file = in_pod(dataset.path)
    described = dataset.document()
    del described["uri"], described["path"]
    return {**described, "ending": file.suffix, "digest": file_digest(file) if file.is_file() else None}


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
