"""What a person without a right is told: which right it is, and how it is granted."""

import re

VIEW, EDIT = ("swiftlet-view", "view"), ("swiftlet-edit", "edit")
"""Roles that read and that write: of our kinds (the chart has them), and of the cluster's own."""
READING = ("get", "list", "watch")
OURS = "swiftlet.dev"

_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)?'
)
"""Source: kubernetes/apiserver, endpoints/handlers/responsewriters, forbiddenMessage."""


def forbidden(message: str) -> str:
    """A 403 of the API server as verb, resource and place, with the command that an administrator would give."""
    found = _FORBIDDEN.search(message)
    if found is None:  # a policy's or a quota's own words
        return message
    resource = found["resource"] + (f".{found['group']}" if found["group"] else "")
    where = f"in namespace {found['namespace']}" if found["namespace"] else "in all namespaces"
    who = f"{found['user']} may not {found['verb']} {resource} {where}"
    return f"{who}; an administrator grants it with:\n  {_command(found)}"


def _command(found: re.Match[str]) -> str:
    namespace, resource = found["namespace"], found["resource"]
    whom, role = _subject(found["user"]), _role(found)
    if role is None:
        name = f"swiftlet-{found['verb']}-{resource.replace('/', '-')}"
        rights = f"--verb={found['verb']} --resource={resource}"
        return (
            f"kubectl create clusterrole {name} {rights} &&"
            f" kubectl create clusterrolebinding {name} --clusterrole={name} {whom}"
        )
    binding = f"rolebinding {role} -n {namespace}" if namespace else f"clusterrolebinding {role}"
    return f"kubectl create {binding} --clusterrole={role} {whom}"


def _role(found: re.Match[str]) -> str | None:
    """The standing role that has the right; None: there is none."""
    if found["group"] == OURS:
        if found["resource"] == "computeprofiles" and found["verb"] not in READING:
            return None
        return (VIEW if found["verb"] in READING else EDIT)[0]
    if not found["namespace"] and found["resource"] in ("nodes", "namespaces"):
        return None
    reads = found["verb"] in READING and found["resource"] not in ("secrets", "pods/portforward", "services/proxy")
    return (VIEW if reads else EDIT)[1]


def _subject(user: str) -> str:
    account = user.removeprefix("system:serviceaccount:")
    return f"--serviceaccount={account}" if account != user else f"--user={user}"
