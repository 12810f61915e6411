"""An adapter added to the weights of its base, as a model of its own that other runs and servers can load."""

import shutil
from pathlib import Path
from typing import Any

from swiftlet.wire.documents import ResolvedStart, TrainDocument

from swiftlet_trainer.artifact.manifest import is_artifact, read_and_verify, read_manifest, write_manifest
from swiftlet_trainer.artifact.tokenizers import copy_tokenizer
from swiftlet_trainer.artifact.writing import all_or_nothing
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.locking import locked
from swiftlet_trainer.models.adapters import AdapterSource, with_adapters
from swiftlet_trainer.models.causal import load_causal
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.models.saving import save_weights
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.templates.end_token import GENERATION_CONFIG


def merge_start(document: TrainDocument, start: ResolvedStart) -> None:
    """Write the model that the run starts from, if it is not there yet: W + s B A of each layer that the adapter is on
    (Hu et al. 2021, arXiv:2106.09685, section 4.1), rounded to the base's own precision.

    Raises InvalidInput for an adapter that no weights can be added for, ArtifactDiskFull.
    """
    merged = in_pod(document.model.path or "")
    with locked(merged.parent / ".merging"):
        if _is_whole(merged):
            return
        base, adapter = start.merge_into or document.model, in_pod(start.adapter.path or "")
        staged = merged.parent / f".partial-{merged.name}"
        shutil.rmtree(staged, ignore_errors=True)
        with all_or_nothing(staged, merged):
            staged.mkdir(parents=True)
            save_weights(_sum(model_folder(base), adapter, start.adapter.uri), staged)
            copy_tokenizer(adapter, staged)
            shutil.copyfile(adapter / GENERATION_CONFIG, staged / GENERATION_CONFIG)
            # It is what the other run has made, in another form.
            write_manifest(staged, read_manifest(adapter).model_copy(update={"type": "model"}))
        shutil.rmtree(merged, ignore_errors=True)
        staged.rename(merged)


def _is_whole(folder: Path) -> bool:
    """Whether an earlier attempt has left it, every byte of it."""
    if not is_artifact(folder):
        return False
    try:
        read_and_verify(folder)
    except InvalidInput:
        return False
    return True


def _sum(base: Path, adapter: Path, uri: str) -> Any:
    from peft.tuners.lora import LoraLayer

    model = load_causal(base, "auto")
    tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    tuned = with_adapters(model, [AdapterSource("default", adapter, f"model {uri}")], str(base))
    ends = (tuned.get_input_embeddings(), tuned.get_output_embeddings())
    if tied and any(isinstance(end, LoraLayer) for end in ends):
        problem = "it changes the embedding or the head alone, which in its base are the same weights"
        raise InvalidInput([f"model {uri}: {problem}; leave spec.model.mergeAdapter out"])
    return tuned.merge_and_unload()
