"""What a refusal of the API server means: a word for it, and the remedy.

The same words come from two places: its answer to a child that the operator writes, and the Event or condition of a
controller that could not make a pod. Source of the words: Kubernetes, plugin/pkg/admission and apiserver/pkg/admission.
"""

import re
from dataclasses import dataclass

OPERATOR_FORBIDDEN = "OperatorForbidden"
API_SERVER_BUSY = "ApiServerBusy"
API_REFUSALS = {
    "QuotaExceeded": "A ResourceQuota of the namespace refuses it; the message has its name and the numbers.",
    "LimitRangeExceeded": "A LimitRange of the namespace refuses it; the message has the bound.",
    "PolicyDenied": "A policy refuses it: Pod Security, a ValidatingAdmissionPolicy or a webhook; in its own words.",
    "WebhookUnavailable": "An admission webhook has to be asked and does not answer.",
    "NamespaceTerminating": "The namespace is being deleted, and nothing new can be made in it.",
    OPERATOR_FORBIDDEN: "The operator's account lacks a right; the message names it.",
    "AdmissionObjectMissing": "An account or class that pods are to use does not exist; the message names it.",
    "TooLarge": "The object is larger than the API server or etcd stores.",
    "ChildRejected": "The API server finds a child invalid; the message has the field and the rule.",
    "Forbidden": "The API server forbids it; the message has its words.",
    API_SERVER_BUSY: "The API server has not been able to store it for a while; the message has its words.",
}
"""Every reason, and what it means."""

WORDS_LIMIT = 2000
"""Characters of a refusal that are told; a webhook may say as much as it likes."""


@dataclass(frozen=True)
class Refusal:
    """A refusal, understood. waits: it may go away without a change of the document."""

    reason: str
    message: str
    waits: bool = True

    @property
    def state(self) -> tuple[str, str]:
        """Reason and message of a condition."""
        return self.reason, self.message


@dataclass(frozen=True)
class _Meaning:
    """codes: HTTP status codes that it may come with; empty where the words alone tell."""

    reason: str
    words: str
    remedy: str
    codes: frozenset[int] = frozenset()


_MEANINGS = (
    _Meaning(
        OPERATOR_FORBIDDEN, r"cannot \w+ resource ", "give it to the operator's ClusterRole (the chart's rbac.create)"
    ),
    _Meaning("NamespaceTerminating", r"because it is being terminated", "use another namespace"),
    _Meaning("NamespaceTerminating", r"^namespaces \"[^\"]*\" not found", "create the namespace, and apply again"),
    _Meaning("WebhookUnavailable", r"failed calling webhook", "start its server, or remove its configuration"),
    _Meaning(
        "QuotaExceeded",
        r"failed quota: .*must specify",
        "set what it asks for in compute.resources, or as resources of the ComputeProfile",
    ),
    _Meaning(
        "QuotaExceeded",
        r"exceeded quota|status unknown for quota",
        "raise the ResourceQuota, ask for less in compute, or delete what uses it",
    ),
    _Meaning(
        "LimitRangeExceeded",
        r"(maximum|minimum) \S+ usage per|max limit to request ratio per",
        "change compute.resources, or the LimitRange",
    ),
    _Meaning(
        "PolicyDenied",
        r"violates PodSecurity",
        "pods of Swiftlet keep to the level restricted: look at what changes them, or at the namespace's level",
    ),
    _Meaning(
        "PolicyDenied",
        r"denied (the )?request",
        "change what it finds fault with in the resource or its ComputeProfile, or the policy",
    ),
    _Meaning(
        "AdmissionObjectMissing",
        r"error looking up service account|no PriorityClass with name|RuntimeClass .*not found",
        "create it, or change the ComputeProfile",
    ),
    _Meaning("TooLarge", r"[Tt]oo long: may not|[Tt]oo large|larger than max", "make the document smaller"),
    _Meaning("TooLarge", "", "make the document smaller", frozenset({413})),
    _Meaning(
        "ChildRejected",
        "",
        "change the field that it comes from, in the resource or its ComputeProfile",
        frozenset({400, 422}),
    ),
    _Meaning("Forbidden", "", "look for an admission plugin that says so", frozenset({403})),
    _Meaning(API_SERVER_BUSY, "", "it is tried again; look at the API server"),
)
"""The first that fits counts."""

_NEEDS_CHANGE = frozenset({"ChildRejected", "TooLarge"})
"""What the document itself, or its profile, has to be changed for."""


def understood(words: str, code: int = 0) -> Refusal:
    """The meaning of what was said. code: of the answer; 0 where a controller passes the words on."""
    found = next(
        meaning
        for meaning in _MEANINGS
        if (not meaning.codes or code in meaning.codes) and re.search(meaning.words, words, re.DOTALL)
    )
    return Refusal(
        found.reason, f"{words[:WORDS_LIMIT].rstrip('. ')}; {found.remedy}", found.reason not in _NEEDS_CHANGE
    )
