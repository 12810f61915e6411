"""What a FineTuneJob starts from: a model by its URI, or what another FineTuneJob has made."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from swiftlet.api.base import ApiModel, NamedRef, Rule, one_of
from swiftlet.api.v1alpha1.tasks import Task
from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.api.v1alpha1.tuner import Lora
from swiftlet.api.v1alpha1.uris import MODEL_FORMS_MARKED, ModelUri
from swiftlet.storage.artifacts import ARTIFACT_FORM


class ModelSource(ApiModel):
    """The model to start from. An adapter that another job has made is trained further, unless mergeAdapter says
    otherwise; a whole model that it has made is the new base."""

    rules: ClassVar[tuple[Rule, ...]] = (
        one_of("uri", "fineTuneJobRef"),
        Rule(
            "!has(self.mergeAdapter) || has(self.fineTuneJobRef)",
            "mergeAdapter is about the adapter of another job; set fineTuneJobRef, or leave it out",
            "mergeAdapter",
        ),
    )

    uri: ModelUri | None = Field(None, description=f"{MODEL_FORMS_MARKED}.")
    fine_tune_job_ref: NamedRef | None = Field(
        None, description="The artifact of this FineTuneJob, which is waited for."
    )
    merge_adapter: bool | None = Field(
        None,
        description="Add the other job's adapter to the weights of its base and start from the sum, which is kept"
        " beside the artifact. Absent or false: the adapter itself is trained further, on the same base.",
    )


def parent_name(job: Mapping[str, Any] | None) -> str | None:
    """Name of the FineTuneJob whose artifact `job` starts from, if it does: as it is written, whatever else it says."""
    source = ((job or {}).get("spec") or {}).get("model") or {}
    name: str | None = (source.get("fineTuneJobRef") or {}).get("name")
    return name


_MAKES: Mapping[HeadName, str] = {"tokens": "log-probabilities", "score": "scores", "pool": "vectors"}
"""Of texts, by head."""
_FROM_ITS_BASE = "start from the model that it was made from"


def other_head(source: ModelSource, made_by: Task, is_adapter: bool, task: Task) -> tuple[str, str] | None:
    """(problem, remedy) where `task` cannot start from what `made_by` has made: the layer that makes something of texts
    is part of an adapter, and of a whole model that does not say what follows a text."""
    merges, was_tokens = bool(source.merge_adapter), made_by.head == "tokens"
    if (was_tokens and (merges or not is_adapter)) or (made_by.head == task.head and not merges):
        return None
    made = f"makes {_MAKES[made_by.head]} of texts (task {made_by.block})"
    if merges:
        return f"{made}, and an adapter with a head of its own cannot be merged", _FROM_ITS_BASE
    remedy = "set spec.model.mergeAdapter to true" if was_tokens else _FROM_ITS_BASE
    return f"{made}, and task {task.block} needs {_MAKES[task.head]}", remedy


def not_from_itself() -> Rule:
    """Of a FineTuneJob."""
    return Rule(
        "!has(self.spec.model.fineTuneJobRef) || self.spec.model.fineTuneJobRef.name != self.metadata.name",
        "is the job's own name, and no job starts from what it makes; name another one, or a model by uri",
        "spec.model.fineTuneJobRef.name",
    )


class Ancestor(ApiModel):
    """The artifact of a FineTuneJob that another run has started from."""

    fine_tune_job: str = Field(description="Name of the FineTuneJob.")
    uri: str = Field(description=f"`{ARTIFACT_FORM}` of the folder.")
    digest: str = Field(description="`sha256:` digest of the manifest.")
    type: str = Field(description="adapter or model.")
    base_model: str = Field("", description="URI of the model that it was made from.")
    base_digest: str = Field("", description="Digest of the base model's weights.")
    lora: Lora | None = Field(None, description="Shape of an adapter, which a run that continues it takes over.")
