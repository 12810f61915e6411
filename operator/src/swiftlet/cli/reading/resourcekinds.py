"""The kinds that the command reads: ours and the Kubernetes kinds that they own, with the words that name them."""

from dataclasses import dataclass

from swiftlet.api import KINDS
from swiftlet.api.v1alpha1.backends import BACKENDS
from swiftlet.cli.errors import CommandError


@dataclass(frozen=True)
class ResourceKind:
    """A kind and the words that name it on the command line."""

    name: str
    plural: str
    short_names: tuple[str, ...] = ()
    ours: bool = False
    namespaced: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        return (self.plural, self.name.lower(), *self.short_names)


OURS: tuple[ResourceKind, ...] = tuple(
    ResourceKind(kind.kind_name, kind.plural, (kind.short_name,), ours=True, namespaced=kind.scope == "Namespaced")
    for kind in KINDS.values()
)
CHILDREN: tuple[ResourceKind, ...] = (
    ResourceKind("Pod", "pods", ("po",)),
    *(ResourceKind(facts.kind, facts.plural) for facts in BACKENDS.values()),
    ResourceKind("Deployment", "deployments", ("deploy",)),
    ResourceKind("ReplicaSet", "replicasets", ("rs",)),
    ResourceKind("ControllerRevision", "controllerrevisions"),
    ResourceKind("Service", "services", ("svc",)),
    ResourceKind("ConfigMap", "configmaps", ("cm",)),
    ResourceKind("Secret", "secrets"),
    ResourceKind("PersistentVolumeClaim", "persistentvolumeclaims", ("pvc",)),
    ResourceKind("NetworkPolicy", "networkpolicies", ("netpol",)),
    ResourceKind("PodDisruptionBudget", "poddisruptionbudgets", ("pdb",)),
    ResourceKind("Event", "events", ("ev",)),
)
ALL = ("all", "swiftlet")
"""Words for all of our kinds."""
_BY_WORD = {word: kind for kind in (*OURS, *CHILDREN) for word in kind.words}


def parse_kinds(text: str | None) -> tuple[ResourceKind, ...]:
    """The kinds that a comma-separated list names; `all`, `swiftlet` and nothing are our kinds.

    Raises CommandError for a word that names no kind, with the nearest one.
    """
    found: dict[str, ResourceKind] = {}
    for word in (text or "all").split(","):
        for kind in OURS if word.lower() in ALL else (kind_of(word),):
            found[kind.name] = kind
    return tuple(found.values())


def kind_of(word: str) -> ResourceKind:
    """The kind of one word (plural, singular, short name, any with a group behind it, any case).

    Raises CommandError.
    """
    bare = word.lower().partition(".")[0]
    if bare in _BY_WORD:
        return _BY_WORD[bare]
    from swiftlet.api.schema.validation import nearest

    close = nearest(bare, list(_BY_WORD))
    listed = ", ".join(kind.plural for kind in (*OURS, *CHILDREN))
    raise CommandError(
        f"there is no kind {word!r}: " + (f"did you mean {close}?" if close else f"the kinds are {listed}")
    )
