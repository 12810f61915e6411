"""Checks of what a ModelDeployment serves: names that clients can tell apart, and jobs that make what is asked for."""

from collections.abc import Iterator, Mapping
from typing import Any

from swiftlet.api.schema.problems import Location, Problem, shown
from swiftlet.documents.document import Document, Key

BASE_NAME = "base"
"""Name of the base model where `spec.api.baseServedName` is absent."""


def served_name_problems(
    document: Document, full: Mapping[str, Any], known: Mapping[Key, Mapping[str, Any]]
) -> Iterator[Problem]:
    """Problems of a ModelDeployment's served names and adapters; `full` is the document defaulted."""
    if document.kind != "ModelDeployment":
        return
    first: dict[str, str] = {}
    for name, at, what in _served_names(document, full, known):
        if name in first:
            rule = f"is the served name of {first[name]} too"
            yield document.problem(at, rule, "give one of them another name", shown(name))
        first.setdefault(name, what)
    for index, adapter in enumerate(full["spec"]["adapters"]):
        if _trains_all_weights(document, adapter, known):
            at = ("spec", "adapters", index, "fineTuneJobRef", "name")
            name = adapter["fineTuneJobRef"]["name"]
            remedy = "serve it as spec.model, or train it with tuner.lora"
            yield document.problem(at, "trains all weights (tuner.full), so it makes no adapter", remedy, shown(name))


def _served_names(
    document: Document, full: Mapping[str, Any], known: Mapping[Key, Mapping[str, Any]]
) -> Iterator[tuple[str, Location, str]]:
    """Each served name, the field that gives it, and what it names."""
    model, api = full["spec"]["model"], full["spec"]["api"]
    own: Location = ("spec", "api", "servedName") if "servedName" in api else ("metadata", "name")
    yield api.get("servedName", document.name), own, "the model"
    # A FineTuneJob's adapter is served beside its base; any other model is its own base, under a second name if wanted.
    beside = "fineTuneJobRef" in model and not _trains_all_weights(document, model, known)
    if base := api.get("baseServedName", BASE_NAME if beside else None):
        yield base, ("spec", "api", "baseServedName"), "the base model"
    for index, adapter in enumerate(full["spec"]["adapters"]):
        yield adapter["name"], ("spec", "adapters", index, "name"), f"adapter {index}"


def _trains_all_weights(document: Document, holder: Mapping[str, Any], known: Mapping[Key, Mapping[str, Any]]) -> bool:
    """Whether the FineTuneJob that `holder` references is known and trains every weight."""
    name = (holder.get("fineTuneJobRef") or {}).get("name")
    job = known.get(("FineTuneJob", document.key[1], name)) if name else None
    spec = (job or {}).get("spec")
    return isinstance(spec, dict) and "full" in (spec.get("tuner") or {})
