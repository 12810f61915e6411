"""Checks of a FineTuneJob beside the one whose artifact it starts from."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from swiftlet.api.schema.problems import Location, Problem, shown
from swiftlet.api.v1alpha1.finetunejob import FineTuneJobSpec
from swiftlet.api.v1alpha1.model_source import other_head, parent_name
from swiftlet.api.v1alpha1.tuner import Lora, Tuner, other_shape
from swiftlet.documents.document import Document, Key

_REF: Location = ("spec", "model", "fineTuneJobRef", "name")


def chain_problems(
    document: Document, full: Mapping[str, Any], known: Mapping[Key, Mapping[str, Any]]
) -> Iterator[Problem]:
    """Where what a FineTuneJob trains does not go with what it starts from; `full` is the document defaulted. Nothing
    where the other job is not known, and for other kinds."""
    if document.kind != "FineTuneJob" or not (parent := _parent(document.key, full)):
        return
    spec, trained = FineTuneJobSpec.model_validate(full["spec"]), _tuner_of(parent, known)
    if trained is None:
        return
    made_by = FineTuneJobSpec.model_validate(known[parent]["spec"]).task
    if found := other_head(spec.model, made_by, trained.full is None, spec.task):
        yield document.problem(_REF, *found, shown(parent[2]))
    if trained.full is not None:
        if spec.model.merge_adapter:
            rule = f"is about an adapter, and FineTuneJob {parent[2]} trains all weights (tuner.full)"
            yield document.problem(("spec", "model", "mergeAdapter"), rule, "leave it out")
    elif spec.tuner and not spec.model.merge_adapter:
        yield from _other_tuner(document, spec.tuner, trained.lora or Lora())


def _other_tuner(document: Document, asked: Tuner, adapter: Lora) -> Iterator[Problem]:
    if asked.lora is None:
        rule = "names a job that makes an adapter, and tuner.full trains all weights of a model"
        remedy = "set spec.model.mergeAdapter to true, or leave tuner out"
        yield document.problem(_REF, rule, remedy)
        return
    for problem in other_shape(asked.lora, adapter):
        field, _, values = problem.partition(" ")
        rule = f"{values}, and an adapter that is trained further keeps its shape"
        remedy = "leave tuner out, or set spec.model.mergeAdapter to true for a new adapter"
        yield document.problem(("spec", "tuner", "lora", field), rule, remedy)


def _tuner_of(key: Key, known: Mapping[Key, Mapping[str, Any]]) -> Tuner | None:
    """What a job trains: as it says, else as the adapter is that it continues, else a new adapter. None where nobody
    can say."""
    walked: set[Key] = set()
    while (job := known.get(key)) is not None and key not in walked:
        walked.add(key)
        try:
            spec = FineTuneJobSpec.model_validate(job.get("spec"))
        except ValidationError:
            return None  # it is told of its own document
        above = None if spec.tuner or spec.model.merge_adapter else _parent(key, job)
        if above is None:
            # Nothing of a whole model is taken over.
            return spec.own_tuner if spec.own_tuner.lora or len(walked) == 1 else Tuner(lora=Lora())
        key = above
    return None


def _parent(key: Key, job: Mapping[str, Any]) -> Key | None:
    """Key of the FineTuneJob whose artifact `job` starts from."""
    name = parent_name(job)
    return ("FineTuneJob", key[1], name) if name else None
