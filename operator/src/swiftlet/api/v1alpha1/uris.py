"""Where models and data come from: the URI schemes that documents use."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field

from swiftlet.api.names import SUBDOMAIN, quoted
from swiftlet.storage.registry import LOCAL, SCHEMES, parse_uri, scheme_of
from swiftlet.storage.scheme import Form
from swiftlet.storage.uri import Uri

__all__ = ["Uri", "local_uri", "parse_uri", "scheme_of"]


def _pattern(forms: dict[str, Form]) -> str:
    """Any of the schemes, in their form."""
    authorities = {name: SCHEMES[name].authority for name in forms}
    begun = {name: SUBDOMAIN if found is None else found for name, found in authorities.items()}
    return "^(" + "|".join(f"{name}://{begun[name]}{form.pattern}" for name, form in forms.items()) + ")$"


def _told(forms: Iterable[str]) -> str:
    *others, last = forms
    return f"{', '.join(others)} or {last}" if others else last


def _marked(form: Form) -> str:
    return f"`{form.written}`" if "://" in form.written else form.written


def _any(names: Iterable[str]) -> str:
    found = tuple(names)
    return found[0] if len(found) == 1 else f"({'|'.join(found)})"


_DATA = {scheme.name: scheme.data for scheme in SCHEMES.values() if scheme.data}
_MODELS = {scheme.name: scheme.model for scheme in SCHEMES.values() if scheme.model}
_ARTIFACTS = {scheme.name: scheme.artifact for scheme in SCHEMES.values() if scheme.artifact}
_CHECKPOINTS = {scheme.name: scheme.checkpoint for scheme in SCHEMES.values() if scheme.checkpoint}
_OBJECTS = [scheme.name for scheme in SCHEMES.values() if scheme.object]
_KEYED = _any(scheme.name for scheme in SCHEMES.values() if scheme.is_keyed)
_REMOTE = _any(sorted(scheme.name for scheme in SCHEMES.values() if not scheme.is_local))

DATA_URI_PATTERN = _pattern(_DATA)
MODEL_URI_PATTERN = _pattern(_MODELS)
DATA_FORMS = _told(form.written for form in _DATA.values())
MODEL_FORMS = _told(form.written for form in _MODELS.values())
"""As people are told to write them."""
ARTIFACT_FORMS_MARKED = _told(_marked(form) for form in _ARTIFACTS.values())
CHECKPOINT_FORMS_MARKED = _told(_marked(form) for form in _CHECKPOINTS.values())
DATA_FORMS_MARKED = _told(_marked(form) for form in _DATA.values())
MODEL_FORMS_MARKED = _told(_marked(form) for form in _MODELS.values())
"""The same in Markdown, for descriptions of fields."""

_SEPARATOR = r"(/|\\|%2[fF]|%5[cC])"
LEAVES_PATTERN = rf"^{_REMOTE}://(.*({_SEPARATOR}|@))?((\.|%2[eE]){{0,2}}{_SEPARATOR}|(\.|%2[eE]){{1,2}}(@|$))"
"""A part of a path that is empty, `.` or `..`, also where it is written in percent encoding or between backslashes: no
two readers agree about these, and one of them leaves the volume or the repository."""
RESERVED_PATTERN = rf"^{_KEYED}://[^/]*/\.\."
"""Keys of ConfigMaps do not begin with two dots. Source: apimachinery, IsConfigMapKey."""
LONG_PATTERN = rf"^({_any(_OBJECTS)}://[^/]{{254}}|{_KEYED}://[^/]*/[^/]{{254}})"
"""Names and keys may have 253 characters."""
LEAVES = "`..`, `.` and empty parts may not be in the path; name the place directly"

_RULES = [
    {
        "rule": f"!self.matches({quoted(LEAVES_PATTERN)}) && !self.matches({quoted(RESERVED_PATTERN)})",
        "message": LEAVES,
    },
    {
        "rule": f"!self.matches({quoted(LONG_PATTERN)})",
        "message": "names and keys of Kubernetes objects have 253 characters at most; use a shorter one",
    },
]
_EXTRA: dict[str, Any] = {"x-kubernetes-validations": _RULES}
_WRITTEN: dict[str, Any] = {"x-kubernetes-validations": _RULES[:1]}
"""Nothing is written to an object of Kubernetes."""

DATA_ENDINGS = (".jsonl", ".json", ".csv", ".parquet")
"""Endings of data files that the trainer has a reader for (`swiftlet_trainer.data.readers`)."""

DataUri = Annotated[str, Field(pattern=DATA_URI_PATTERN, max_length=1024, json_schema_extra=_EXTRA)]
"""A data file by one of the DATA_FORMS; a local path for the local engine only."""

ModelUri = Annotated[str, Field(pattern=MODEL_URI_PATTERN, max_length=1024, json_schema_extra=_EXTRA)]
"""A model or adapter by one of the MODEL_FORMS; a local path for the local engine only."""

ArtifactUri = Annotated[str, Field(pattern=_pattern(_ARTIFACTS), max_length=512, json_schema_extra=_WRITTEN)]
"""A place that runs write artifacts to."""

CheckpointUri = Annotated[str, Field(pattern=_pattern(_CHECKPOINTS), max_length=512, json_schema_extra=_WRITTEN)]
"""A place that runs keep copies of checkpoints in."""


def hub_name(text: str) -> str | None:
    """The name by which other programs find what a URI names on the Hugging Face hub, where it has one."""
    uri = parse_uri(text)
    return scheme_of(uri).hub_name(uri)


def written_uri(text: str, run: str, part: str) -> str:
    """URI that `part` of a run is written to, where a document names `text`. run: a name that no other run has."""
    uri = parse_uri(text)
    return scheme_of(uri).written(uri, run, part)


def local_uri(path: str) -> str:
    """The URI of an absolute path of this machine."""
    return f"{LOCAL.name}://{path}"
