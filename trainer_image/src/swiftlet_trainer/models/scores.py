"""What the scores of a model that scores texts are: as its task says, or its files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.tasks import Task
from swiftlet.api.v1alpha1.tasks.block import ProblemType

from swiftlet_trainer.artifact.compatibility import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from swiftlet_trainer.artifact.manifest import is_artifact, read_manifest
from swiftlet_trainer.models.checks import json_object

SCORING = "ForSequenceClassification"
"""Ending of transformers' classes of such models."""
HEAD_WEIGHT = ".score.weight"


@dataclass(frozen=True)
class ScoreHead:
    """labels: names of the scores, of which each text has one each. problem_type: figures, logits of one class of many
    or of each class, as transformers' configs name it."""

    labels: tuple[str, ...]
    problem_type: ProblemType


REWARD = ScoreHead(("reward",), "regression")
RELEVANCE = ScoreHead(("relevance",), "regression")


def head_of_task(task: Task) -> ScoreHead | None:
    """What a model scores texts by after a task; None after one that teaches no scores."""
    names = task.chosen.score_names
    return ScoreHead(names, getattr(task.chosen, "problem_type", task.chosen.scored_as)) if names else None


def read_head(model: Path, adapter: Path | None = None) -> ScoreHead | None:
    """What the model in a folder, with an adapter or without, scores texts by; None where it does not."""
    if adapter is None:
        return _of_config(json_object(model / "config.json")[0])
    if is_artifact(adapter):
        return head_of_task(Task.model_validate(read_manifest(adapter).parameters.get("task", {})))
    if json_object(adapter / ADAPTER_CONFIG)[0].get("task_type") != "SEQ_CLS":
        return None
    return _of_config(json_object(model / "config.json")[0]) or _of_weights(adapter / ADAPTER_WEIGHTS)


def _of_config(config: dict[str, Any]) -> ScoreHead | None:
    if not any(name.endswith(SCORING) for name in config.get("architectures") or []):
        return None
    named = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}  # transformers' own where nothing is said
    labels = tuple(str(named[key]) for key in sorted(named, key=int))
    return ScoreHead(labels, config.get("problem_type") or _usual(len(labels)))


def _of_weights(file: Path) -> ScoreHead | None:
    """Of an adapter that others made: they do not keep names."""
    from safetensors import safe_open

    with safe_open(file, framework="np") as tensors:
        found = [tensors.get_slice(name).get_shape()[0] for name in tensors.keys() if name.endswith(HEAD_WEIGHT)]  # noqa: SIM118
    return ScoreHead(tuple(f"LABEL_{number}" for number in range(found[0])), _usual(found[0])) if found else None


def _usual(count: int) -> ProblemType:
    """What transformers takes so many labels for where nothing is said."""
    return "regression" if count == 1 else "single_label_classification"
