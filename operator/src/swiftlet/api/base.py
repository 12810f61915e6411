"""The base of every API type: camelCase on the wire, unknown fields refused, CEL rules beside the fields they bind."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "swiftlet.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

MAX_NAME = 52
"""Longest metadata.name in characters: 63 (RFC 1035 label) less the longest suffix that a child's name gets."""


@dataclass(frozen=True)
class Rule:
    """One cross-field rule. The CEL text is the only source: the CRD carries it and local validation evaluates it."""

    cel: str
    """Expression over `self` (and `oldSelf` for a transition rule), true when the object is good."""
    message: str
    """Names the rule and the remedy."""
    field: str = ""
    """Path of the field to blame, relative to the type that carries the rule."""
    figures: str = ""
    """Expression over `self` whose text follows the message: the numbers of the object that breaks the rule."""

    @property
    def is_transition(self) -> bool:
        return "oldSelf" in self.cel


class ApiModel(BaseModel):
    """A part of a resource. Unknown fields are errors; field names are camelCase in documents."""

    # Validators are built on first use: it halves the time to import the API.
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", validate_default=True, defer_build=True
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    def document(self) -> dict[str, Any]:
        """The JSON form: camelCase, absent optional fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


@dataclass(frozen=True)
class Column:
    """A printer column, shown by `kubectl get` and by `swiftlet get`."""

    name: str
    path: str
    """JSONPath below the object's root, as the API server reads it."""
    type: str = "string"
    wide: bool = False
    """Only in the wide output."""


NEW_RESOURCE = "delete the resource and create it again, or use a new name"


def immutable(*fields: str, remedy: str = NEW_RESOURCE) -> tuple[Rule, ...]:
    """Transition rules that freeze `fields` (camelCase) of the type that carries them."""
    return tuple(Rule(cel=unchanged(name), message=f"{name} is immutable: {remedy}", field=name) for name in fields)


def unchanged(path: str) -> str:
    """CEL that holds when the field at `path` (camelCase, below self) is as it was; what stands above it is there."""
    return f"has(self.{path}) == has(oldSelf.{path}) && (!has(self.{path}) || self.{path} == oldSelf.{path})"


def immutable_but(name: str, part: type[ApiModel], *changeable: str, remedy: str = NEW_RESOURCE) -> Rule:
    """A transition rule that freezes every field of `part`, which stands at `name`, but `changeable` (camelCase).

    Whether all of it is equal is asked first: the API server evaluates rules at every write, also of a status, and to
    compare the fields of `training` one by one took it as long as the rest of the write.
    """
    frozen = [alias for field, about in part.model_fields.items() if (alias := about.alias or field) not in changeable]
    together = " && ".join(f"({unchanged(f'{name}.{field}')})" for field in frozen)
    return Rule(
        cel=f"!has(self.{name}) || !has(oldSelf.{name}) || self.{name} == oldSelf.{name} || ({together})",
        message=f"{name} is immutable but for {' and '.join(changeable)}: {remedy}",
        field=name,
    )


def one_of(*fields: str, required: bool = True) -> Rule:
    """Exactly one (or, when not `required`, at most one) of `fields` (camelCase) is set."""
    listed = ", ".join(f"has(self.{name})" for name in fields)
    operator, words = ("==", "exactly one") if required else ("<=", "at most one")
    return Rule(cel=f"[{listed}].filter(x, x).size() {operator} 1", message=f"set {words} of {', '.join(fields)}")


MOST_CHARACTERS = 2**16
"""Characters of the free texts of one list or map together: a job's document, a ConfigMap, may have 1 MiB."""

NAME_PATTERN = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
"""metadata.name: children such as Services need a name that starts with a letter (RFC 1035)."""

DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)]
ShortText = Annotated[str, Field(min_length=1, max_length=1024)]
Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A count. The bound is that of Kubernetes' own counts; seconds beyond it would overflow its durations."""


class NamedRef(ApiModel):
    """A reference to an object of the same namespace, by name."""

    name: DnsLabel = Field(description="Name of the object.")


class ObjectMeta(BaseModel):
    """The part of Kubernetes' ObjectMeta that a document may set or that status functions read."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", defer_build=True)

    name: Annotated[str, Field(pattern=NAME_PATTERN, max_length=MAX_NAME)]
    namespace: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    uid: str | None = None
    generation: int | None = None
    resource_version: str | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class Condition(ApiModel):
    """metav1.Condition."""

    type: ShortText = Field(description="What the condition is about, in CamelCase.")
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")] = Field(description="True, False or Unknown.")
    reason: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9]*$", max_length=128)] = Field(
        description="Why, as one word in CamelCase."
    )
    message: Annotated[str, Field(max_length=32768)] = Field("", description="Why, for people, with the next step.")
    observed_generation: int | None = Field(None, description="Generation of the spec that this was observed for.")
    last_transition_time: str | None = Field(None, description="When status last changed; RFC 3339.")


class Resource(ApiModel):
    """A custom resource: what its CRD needs beyond the schema stands in class variables."""

    kind_name: ClassVar[str]
    plural: ClassVar[str]
    short_name: ClassVar[str]
    scope: ClassVar[str] = "Namespaced"
    columns: ClassVar[tuple[Column, ...]] = ()
    summary_condition: ClassVar[str] = "Succeeded"
    """The one condition that says whether the resource reached its end: Succeeded (bounded) or Ready (running)."""
    scalable: ClassVar[bool] = False
    """Whether `kubectl scale` and autoscalers may set spec.replicas; status then has replicas and selector."""

    api_version: Annotated[str, Field(pattern=f"^{API_VERSION}$")] = API_VERSION
    kind: str
    metadata: ObjectMeta
