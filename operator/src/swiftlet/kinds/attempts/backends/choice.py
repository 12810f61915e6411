"""Which backend makes the next attempt of a run."""

from swiftlet.api.v1alpha1.backends import BACKENDS as FACTS
from swiftlet.api.v1alpha1.backends import DEFAULT
from swiftlet.kinds.attempts.backends.backend import Backend
from swiftlet.kinds.attempts.backends.registry import BACKENDS
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.surroundings import Surroundings


def choose(asked: str | None, around: Surroundings) -> Backend | Verdict:
    """The backend that the document (`asked`) or its profile wants, or why it cannot be had."""
    of_profile = around.profile.backend
    if asked and of_profile and asked != of_profile:
        return Verdict(
            "InvalidPlan",
            f"two backends are wanted at once: spec.backend is {asked}, and backend of {around.profile_name} is"
            f" {of_profile}; take spec.backend out, set it to {of_profile}, or name another profile",
        )
    name = asked or of_profile or DEFAULT
    field = "spec.backend" if asked else f"backend of {around.profile_name}"
    facts = FACTS[name]
    if facts.is_extra and not around.capabilities.extra_backends:
        return Verdict("NeedsCluster", f"{field} {name} needs a cluster with {facts.kind}s; take it out here")
    if facts.is_extra and not around.reader.serves(facts.kind):
        return Verdict(
            "BackendMissing",
            f"{field} {name}: the operator sees no {facts.kind}s; install {facts.kind} in the cluster and let the"
            f" operator use it (docs/how-to/{facts.kind.lower()}.md), or set it to {DEFAULT}",
            waits=True,
        )
    return BACKENDS[facts.kind]
