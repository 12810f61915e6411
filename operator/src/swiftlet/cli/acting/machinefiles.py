"""What this machine must have before anything starts: what URIs name on its claims, and a port for each server."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from swiftlet.api.schema.problems import Problem, shown
from swiftlet.api.schema.validation import nearest
from swiftlet.api.v1alpha1.compute import Compute
from swiftlet.api.v1alpha1.computeprofile import Storage
from swiftlet.api.v1alpha1.uris import Uri, parse_uri, scheme_of
from swiftlet.cli.acting.planning import Imagined
from swiftlet.cli.places import claim_folder
from swiftlet.documents import Document
from swiftlet.documents.document import NamedUri, key_of
from swiftlet.documents.namedfiles import path_problem
from swiftlet.documents.servedports import served_port_problems
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.references.profiles import resolve_profile
from swiftlet.local.places import MIRROR_VARIABLE, local_capabilities, models_mirror
from swiftlet.storage.artifacts import may_be_artifact

Object = dict[str, Any]


def machine_problems(
    documents: Sequence[Document], existing: Sequence[Object], state: Path, environ: Mapping[str, str]
) -> list[Problem]:
    """Problems of URIs that name nothing on this machine, and of servers that would share a port of it.

    Of what has succeeded nothing is asked. What lies on the artifacts claim may be made by a run that these
    documents wait for, and is left to the pods.
    """
    stored = {key_of(item): item for item in existing}
    world = Imagined({**stored, **{document.key: document.object for document in documents}})
    mirror = models_mirror(environ)
    problems = list(served_port_problems(documents))
    for document in documents:
        if not document.uris or _is_done(stored.get(document.key)):
            continue
        storage = _storage(document, world)
        for named in document.uris:
            problems += _problems(document, named, storage, state, mirror)
    return problems


def _is_done(item: Object | None) -> bool:
    """Whether a stored resource will read nothing any more; a server reads its model at each start."""
    return item is not None and item["kind"] != "ModelDeployment" and settled(item) == "succeeded"


def _storage(document: Document, world: Imagined) -> Storage:
    """Where the resource's profile keeps models and artifacts; compute that is refused counts as none."""
    spec = document.object.get("spec")
    try:
        compute = Compute.model_validate((spec if isinstance(spec, dict) else {}).get("compute") or {})
        return resolve_profile(compute, world, local_capabilities()).spec.storage
    except ValidationError:
        return local_capabilities().default_profile.storage


def _problems(document: Document, named: NamedUri, storage: Storage, state: Path, mirror: Path) -> Iterator[Problem]:
    uri = parse_uri(named.text)
    scheme = scheme_of(uri)
    on_claim = scheme.on_claim(uri, storage)
    if on_claim is None or may_be_artifact(uri, storage.artifacts_claim):
        return  # local, looked at by documents.namedfiles; fetched by a pod; or made by another run
    folder = claim_folder(state, on_claim[0], mirror)
    path = folder / on_claim[1]
    if found := path_problem(path, named.use):
        rule, remedy = found
        if scheme.is_mirrored and rule == "does not exist":
            rule, remedy = f"is not in the mirror: {path} does not exist", _instead_of(uri, folder, remedy)
        elif str(path) not in rule:
            rule = f"{rule}: {path}"
        yield document.problem(named.at, rule, remedy, shown(named.text))


def _instead_of(uri: Uri, folder: Path, remedy: str) -> str:
    """The model of the mirror that was most likely meant, else how a model comes there."""
    models = [f"{one.parent.name}/{one.name}" for one in folder.glob("*/*") if one.is_dir()]
    name = uri.authority + (f"@{uri.revision}" if uri.revision else "")
    if name in models:
        return remedy  # the model is there, its file is not
    how = f"put the model's folder there, or name another mirror with ${MIRROR_VARIABLE}"
    close = nearest(name, models)
    return f"did you mean {uri.scheme}://{close}? Else {how}" if close else how
