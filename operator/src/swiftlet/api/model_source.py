"""What a FineTuneJob starts from: a model by its URI, or what another FineTuneJob has made."""

from typing import ClassVar

from pydantic import Field

from swiftlet.api.base import ApiModel, NamedRef, Rule, one_of
from swiftlet.api.tuner import Lora
from swiftlet.api.uris import ModelUri


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

    uri: ModelUri | None = Field(None, description="`hf://org/name[@revision]`, `pvc://claim/path`, or a local path.")
    fine_tune_job_ref: NamedRef | None = Field(
        None, description="The artifact of this FineTuneJob, which is waited for."
    )
    merge_adapter: bool | None = Field(
        None,
        description="Add the other job's adapter to the weights of its base and start from the sum, which is kept"
        " beside the artifact. Absent or false: the adapter itself is trained further, on the same base.",
    )


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
    uri: str = Field(description="`pvc://claim/path` of the folder.")
    digest: str = Field(description="`sha256:` digest of the manifest.")
    type: str = Field(description="adapter or model.")
    base_model: str = Field("", description="URI of the model that it was made from.")
    base_digest: str = Field("", description="Digest of the base model's weights.")
    lora: Lora | None = Field(None, description="Shape of an adapter, which a run that continues it takes over.")
