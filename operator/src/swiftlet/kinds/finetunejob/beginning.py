"""Where the model lies that a run starts from, and what has to be done with it before the first step."""

from dataclasses import dataclass

from swiftlet.api.v1alpha1.computeprofile import Storage
from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.kinds.finetunejob.lineage import Lineage
from swiftlet.kinds.frame.given import given
from swiftlet.kinds.references.sources import locate_model
from swiftlet.storage.artifacts import artifact_uri
from swiftlet.storage.mount import Mount
from swiftlet.wire.documents import MERGED_FOLDER, OUTPUT_ROOT, ResolvedModel, ResolvedStart


@dataclass(frozen=True)
class Beginning:
    """The model of a run, another run's adapter if it starts from one, and the volumes that it needs."""

    model: ResolvedModel
    mounts: tuple[Mount, ...]
    start: ResolvedStart | None = None


def begin(job: FineTuneJob, lineage: Lineage, folder: str, storage: Storage) -> Beginning:
    """What the job begins with. folder: the run's own on the artifacts volume.

    The base of a merged adapter is this run's own: the sum lies beside its artifact, and whoever uses the artifact
    finds it there.
    """
    if not lineage:
        model = locate_model(given(job.spec.model.uri), "model", storage)
        return Beginning(model.model, model.mounts)
    parent = lineage[0]
    made = locate_model(parent.uri, "parent", storage)
    own = made.model.model_copy(update={"digest": parent.digest})
    if parent.type == "model":
        return Beginning(own, made.mounts)
    base = locate_model(parent.base_model, "model", storage)
    mounts = (*base.mounts, *made.mounts)
    if not job.spec.model.merge_adapter:
        return Beginning(base.model, mounts, ResolvedStart(adapter=own))
    uri = artifact_uri(storage.artifacts_claim, f"{folder}/{MERGED_FOLDER}")
    merged = ResolvedModel(uri=uri, path=f"{OUTPUT_ROOT}/{MERGED_FOLDER}")
    return Beginning(merged, mounts, ResolvedStart(adapter=own, merge_into=base.model))
