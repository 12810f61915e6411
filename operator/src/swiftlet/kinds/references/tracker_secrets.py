"""Secrets that experiment trackers ask for."""

from swiftlet.api.v1alpha1.tracking import SECRET_KEYS, ReportTo
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.reading import Reader


def secrets_verdict(
    field: str, report_to: ReportTo | None, namespace: str, reader: Reader, capabilities: Capabilities
) -> Verdict | None:
    """A tracker's Secret that is missing, or lacks its keys. Where Secrets cannot be read, the pod tells it. field: the
    path of `report_to`."""
    if report_to is None or not capabilities.reads_secrets:
        return None
    return combine(
        _verdict(f"{field}.{tracker}", tracker, name, namespace, reader) for tracker, name in report_to.secrets.items()
    )


def _verdict(field: str, tracker: str, name: str, namespace: str, reader: Reader) -> Verdict | None:
    secret = reader.get("Secret", namespace, name)
    who = f"{field}.secretRef: Secret {namespace}/{name}"
    if secret is None:
        return Verdict("ReferenceNotFound", f"{who} does not exist; create it, or remove the tracker", waits=True)
    has, keys = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}, SECRET_KEYS[tracker]
    if any(key in has for key in keys):
        return None
    return Verdict("ReferenceNotFound", f"{who} has no key {' or '.join(keys)}; add it", waits=True)
