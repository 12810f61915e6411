"""How to load in Python what a run has made: with PEFT an adapter, with transformers a whole model."""

from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.tasks import AUTO_CLASSES, Task
from swiftlet.api.v1alpha1.uris import hub_name
from swiftlet.cli.places import artifact_folder, path_of


def loading_lines(item: dict[str, Any], state: Path, mirror: Path) -> list[str]:
    """The lines of Python; none while there is no artifact. The base model is named as it lies on this machine, else by
    its name on the hub."""
    folder = artifact_folder(state, item)
    if folder is None:
        return []
    artifact, task = item["status"]["artifact"], Task.model_validate(item["spec"].get("task", {}))
    kind = AUTO_CLASSES[task.head]
    if artifact.get("type") == "model":
        return [
            f"from transformers import {kind}, AutoTokenizer",
            f"model = {kind}.from_pretrained({str(folder)!r})",
            f"tokenizer = AutoTokenizer.from_pretrained({str(folder)!r})",
        ]
    # The adapter brings the weights of the scores, and a base model has none of that number.
    labels = f", num_labels={task.scores}" if task.scores else ""
    base = _base(artifact.get("baseModel") or item["spec"]["model"]["uri"], state, mirror)
    return [
        f"from peft import PeftModel; from transformers import {kind}",
        f"base = {kind}.from_pretrained({base!r}{labels})",
        f"model = PeftModel.from_pretrained(base, {str(folder)!r})",
    ]


def _base(uri: str, state: Path, mirror: Path) -> str:
    path, on_hub = path_of(state, uri, mirror), hub_name(uri)
    return str(path.absolute()) if path and (path.is_dir() or on_hub is None) else on_hub or uri
