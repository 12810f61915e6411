"""From a job document's model to a folder, a tokenizer, and the checks before them."""

from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.wire.documents import ResolvedModel

from swiftlet_trainer.artifact.identity import identity_problems
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.checks import folder_problems
from swiftlet_trainer.models.digest import model_digest
from swiftlet_trainer.models.trainable import training_problems
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.storage.fetching import fetch

__all__ = ["check_model", "check_trainable", "load_tokenizer", "model_digest", "model_folder"]


def model_folder(model: ResolvedModel) -> Path:
    """The model's folder on this machine: its path in the pod, or what its scheme fetches.

    Raises InvalidInput when it cannot be had.
    """
    return fetch(model) if model.path is None else in_pod(model.path)


def check_model(model: ResolvedModel, chat: bool = True) -> list[str]:
    """What keeps the model from being used, one line each with its remedy. Loads no weights, but reads the bytes of an
    artifact, and of a model whose digest was promised.

    chat: also ask for a chat template, which conversations need and plain text does not.
    """
    try:
        folder = model_folder(model)
        if problems := folder_problems(folder, model.uri, chat):
            return problems
        return [f"model {model.uri}: {problem}" for problem in identity_problems(folder, model.digest)]
    except InvalidInput as error:
        return error.problems


def check_trainable(model: ResolvedModel, head: HeadName) -> list[str]:
    """What keeps the model from being trained as a causal language model with this head, its files aside. Loads no
    weights."""
    return training_problems(model_folder(model), model.uri, head)


def load_tokenizer(model: ResolvedModel) -> Any:
    """The model's own tokenizer, with a pad token. Raises InvalidInput when it cannot be loaded or has no offsets."""
    from transformers import AutoTokenizer

    folder = model_folder(model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InvalidInput([f"model {model.uri}: its tokenizer cannot be loaded: {cause}"]) from error
    if not tokenizer.is_fast:
        raise InvalidInput([f"model {model.uri}: its tokenizer gives no offsets; add a tokenizer.json to {folder}"])
    if tokenizer.pad_token is None:  # padding is masked everywhere, so that any token does
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
