"""What a FineTuneJob starts from where that is another one's artifact: waited for, looked at, and then held fast."""

import json
from collections.abc import Sequence

from pydantic import ValidationError

from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.api.v1alpha1.model_source import Ancestor, other_head, parent_name
from swiftlet.api.v1alpha1.tuner import Lora, Tuner, other_shape
from swiftlet.kinds.attempts.attempt import Attempt
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.frame.given import given
from swiftlet.kinds.references.upstream import Upstream, upstream_of
from swiftlet.kinds.surroundings import Surroundings
from swiftlet.wire.reading import read

LINEAGE_ANNOTATION = "swiftlet.dev/lineage"
"""On a Job's template: what its run starts from. Nobody can edit the template of a Job, so that a run goes on from what
it has begun with, also where the operator was gone before it wrote the status."""
FIELD = "spec.model.fineTuneJobRef"

Lineage = tuple[Ancestor, ...]
"""Newest first; empty for a model that a URI names."""


def lineage_of(job: FineTuneJob, attempts: Sequence[Attempt], around: Surroundings) -> Lineage | Verdict:
    """What the job's model comes from, or the obstacle. What an attempt has begun with stands, whatever becomes of the
    other job."""
    ref = job.spec.model.fine_tune_job_ref
    if ref is None:
        return ()
    begun = tuple(job.status.lineage) if job.status else ()
    if held := begun or next((found for one in reversed(attempts) if (found := _told(one))), ()):
        return held
    upstream = upstream_of(FIELD, ref.name, around.namespace, around.reader)
    if isinstance(upstream, Verdict):
        return _ring(job, around) or upstream
    parent = _ancestor(upstream)
    earlier = upstream.job.status.lineage if upstream.job.status else []
    return _unfit(job, upstream, parent) or (parent, *earlier)


def continues(job: FineTuneJob, lineage: Lineage) -> bool:
    """Whether the run trains another job's adapter further."""
    return bool(lineage) and lineage[0].type == "adapter" and not job.spec.model.merge_adapter


def tuner_of(job: FineTuneJob, lineage: Lineage) -> Tuner:
    """What the run trains: as the document says, else as the adapter is that it continues, else a new adapter."""
    taken_over = lineage[0].lora if continues(job, lineage) and job.spec.tuner is None else None
    return Tuner(lora=taken_over) if taken_over else job.spec.own_tuner


def annotation(lineage: Lineage) -> dict[str, str]:
    """The annotation that holds a lineage; none where there is none."""
    told = [ancestor.document() for ancestor in lineage]
    return {LINEAGE_ANNOTATION: json.dumps(told, sort_keys=True)} if told else {}


def words(lineage: Lineage) -> str:
    """What is told of it; empty where there is none."""
    return f"from {lineage[0].type} {lineage[0].digest} of FineTuneJob {lineage[0].fine_tune_job}" if lineage else ""


def _told(attempt: Attempt) -> Lineage:
    template = attempt.job["spec"].get("template") or {}
    said = ((template.get("metadata") or {}).get("annotations") or {}).get(LINEAGE_ANNOTATION)
    try:
        return tuple(read(Ancestor, one).value for one in json.loads(said or "[]"))
    except (ValueError, TypeError, RecursionError, ValidationError):
        return ()


def _ancestor(upstream: Upstream) -> Ancestor:
    artifact, job = upstream.artifact, upstream.job
    lineage = tuple(job.status.lineage) if job.status else ()
    return Ancestor(
        fine_tune_job=job.metadata.name,
        uri=artifact.uri,
        digest=artifact.digest,
        type=artifact.type,
        base_model=upstream.base,
        base_digest=artifact.base_digest,
        lora=tuner_of(job, lineage).lora if artifact.type == "adapter" else None,
    )


def _unfit(job: FineTuneJob, upstream: Upstream, parent: Ancestor) -> Verdict | None:
    """What keeps the artifact from being what this job makes of it."""
    source, is_adapter = job.spec.model, parent.type == "adapter"
    found = [other_head(source, upstream.job.spec.task, is_adapter, job.spec.task)]
    if source.merge_adapter and not is_adapter:
        found.append(("is a whole model", "leave spec.model.mergeAdapter out"))
    if continues(job, (parent,)) and job.spec.tuner:
        found += _other_tuner(job.spec.tuner, parent.lora or Lora())
    who = f"{FIELD}.name {parent.fine_tune_job}: its artifact"
    return combine(Verdict("InvalidPlan", f"{who} {one[0]}; {one[1]}") for one in found if one)


def _other_tuner(asked: Tuner, adapter: Lora) -> list[tuple[str, str]]:
    if asked.lora is None:
        problem = "is an adapter, and spec.tuner.full trains every weight of a model"
        return [(problem, "set spec.model.mergeAdapter to true, or leave tuner out")]
    remedy = "leave tuner out, or set spec.model.mergeAdapter to true for a new adapter"
    problem = "is an adapter, which keeps its shape when it is trained further, and spec.tuner.lora."
    return [(problem + one, remedy) for one in other_shape(asked.lora, adapter)]


def _ring(job: FineTuneJob, around: Surroundings) -> Verdict | None:
    """Jobs that wait for each other; a ring further up the chain is told here too, since nothing comes out of it."""
    names: list[str] = [job.metadata.name]
    name: str | None = given(job.spec.model.fine_tune_job_ref).name
    while name and name not in names:
        names.append(name)
        name = parent_name(around.reader.get("FineTuneJob", around.namespace, name))
    if not name:
        return None
    ring = " → ".join([*names[names.index(name) :], name])
    return Verdict(
        "InvalidPlan", f"{FIELD}: the jobs wait for each other: {ring}; delete one and start it from a model"
    )
