"""Writing the artifact: weights, tokenizer, manifest; into a folder beside, then renamed."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.finetunejob_status import Artifact
from swiftlet.api.v1alpha1.uris import hub_name, parse_uri, scheme_of
from swiftlet.wire.documents import ARTIFACTS_ROOT, OUTPUT_ROOT, ResolvedModel, TrainDocument

from swiftlet_trainer.artifact.compatibility import ADAPTER_CONFIG, describe_base
from swiftlet_trainer.artifact.manifest import Manifest, canonical_digest, write_manifest
from swiftlet_trainer.artifact.model_card import MODEL_CARD, model_card
from swiftlet_trainer.artifact.start import parents_of
from swiftlet_trainer.artifact.tokenizers import copy_tokenizer
from swiftlet_trainer.checkpoints.store import is_disk_full
from swiftlet_trainer.failures import TrainerError
from swiftlet_trainer.models.digest import weight_bytes
from swiftlet_trainer.models.embedder import Embedder, write_embedder
from swiftlet_trainer.models.saving import save_weights
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.templates.end_token import GENERATION_CONFIG, configured_end, stopping_tokens

ARTIFACT_FOLDER = "artifact"
PACKAGES = ("swiftlet", "torch", "transformers", "peft", "accelerate", "datasets", "deepspeed", "safetensors")


class ArtifactDiskFull(TrainerError):  # noqa: N818 - says what it is
    """The artifact does not fit."""

    reason = "DiskFull"


def write_artifact(
    output_dir: Path,
    document: TrainDocument,
    model: Any,
    state_dict: dict[str, Any] | None,
    tokenizer: Any,
    base_folder: Path,
    data_digest: str,
    steps: int,
    final_loss: float | None,
    eval_loss: float | None,
) -> Artifact:
    """Write `output_dir/artifact`, replacing an older one, and describe it. Call on one process.

    state_dict: the weights, where they had to be gathered from several processes. Raises ArtifactDiskFull.
    """
    staged, final = output_dir / f".partial-{ARTIFACT_FOLDER}", output_dir / ARTIFACT_FOLDER
    shutil.rmtree(staged, ignore_errors=True)
    with all_or_nothing(staged, final):
        staged.mkdir(parents=True)
        save_weights(model, staged, state_dict)
        _name_the_base(staged, document)
        copy_tokenizer(base_folder, staged)
        if document.task.head == "tokens":
            _write_generation_config(staged, base_folder, tokenizer)
        if block := document.task.embedding:
            embedder = Embedder(block.pooling, block.query_prompt, block.document_prompt)
            size = model.config.get_text_config().hidden_size
            write_embedder(staged, embedder, size, document.template.max_length)
        manifest = _manifest(document, base_folder, data_digest, steps, final_loss, eval_loss)
        card = model_card(manifest, base_name(document.model), staged)
        (staged / MODEL_CARD).write_text(card, encoding="utf-8")
        digest = write_manifest(staged, manifest)
    shutil.rmtree(final, ignore_errors=True)
    staged.rename(final)
    return Artifact(
        uri=document.artifact_uri,
        digest=digest,
        type=manifest.type,
        base_model=manifest.base_model.uri,
        base_digest=manifest.base_model.digest,
        final_loss=manifest.final_loss,
        steps=steps,
        weight_bytes=weight_bytes(final) + (0 if manifest.type == "model" else weight_bytes(base_folder)),
    )


@contextmanager
def all_or_nothing(staged: Path, final: Path) -> Iterator[None]:
    """Within, `staged` is written, and is gone where that fails. Raises ArtifactDiskFull."""
    try:
        yield
    except Exception as error:
        free = shutil.disk_usage(staged.parent).free
        shutil.rmtree(staged, ignore_errors=True)
        if is_disk_full(error):
            raise ArtifactDiskFull(
                f"{final}: no space for the artifact, {free} bytes were free; enlarge the volume; "
                f"the next attempt goes on from the last checkpoint"
            ) from error
        raise


def _write_generation_config(folder: Path, base_folder: Path, tokenizer: Any) -> None:
    """The base's generation_config.json, whose eos_token_id also names the end that was learnt."""
    file = base_folder / GENERATION_CONFIG
    config = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    config["eos_token_id"] = stopping_tokens(configured_end(base_folder), tokenizer)
    (folder / GENERATION_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _name_the_base(folder: Path, document: TrainDocument) -> None:
    """peft names the base by its folder in this pod, which no reader has."""
    file = folder / ADAPTER_CONFIG
    if not file.is_file():
        return
    config = json.loads(file.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_name(document.model)
    config["revision"] = document.model.revision
    if isinstance(config.get("target_modules"), list):
        # A set in memory: sorted, so that the same run has the same digest.
        config["target_modules"].sort()
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def base_name(model: ResolvedModel) -> str:
    """What other programs find the base by: the hub's name, or a path. A claim's is where its volume is mounted: in
    every pod that mounts it there, and on this machine under the local engine."""
    if name := hub_name(model.uri):
        return name
    uri = parse_uri(model.uri)
    if scheme_of(uri).is_local or model.path is None:
        return uri.path
    path = in_pod(model.path).resolve()
    # Of a run's own folder others know the place on the volume alone.
    return f"{ARTIFACTS_ROOT}/{uri.path}" if path.is_relative_to(OUTPUT_ROOT) else str(path)


def _manifest(
    document: TrainDocument,
    base_folder: Path,
    data_digest: str,
    steps: int,
    final_loss: float | None,
    eval_loss: float | None,
) -> Manifest:
    from swiftlet_trainer.models.loading import model_digest

    content = document.document()
    parameters = {name: content[name] for name in ("task", "tuner", "template", "training", "datasets")}
    base = document.model
    return Manifest(
        type="model" if document.tuner.full is not None else "adapter",
        name=f"{document.namespace}/{document.name}",
        base_model=describe_base(base_folder, base.uri, base.revision, model_digest(base_folder)),
        parents=parents_of(document),
        data_digest=data_digest,
        parameters=parameters,
        parameters_digest=canonical_digest(parameters),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        seed=document.training.seed,
        steps=steps,
        final_loss=None if final_loss is None else f"{final_loss:.4f}",
        eval_loss=None if eval_loss is None else f"{eval_loss:.4f}",
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
