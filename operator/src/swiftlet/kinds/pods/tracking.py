"""What experiment trackers need of a pod: their keys, by reference, so that no object but the Secret holds them."""

from typing import Any

from swiftlet.api.v1alpha1.tracking import ANY_OF, SECRET_KEYS, ReportTo


def tracking_env(report_to: ReportTo | None) -> list[dict[str, Any]]:
    """Variables of the container that trains or evaluates."""
    env: list[dict[str, Any]] = []
    for tracker, secret in report_to.secrets.items() if report_to else ():
        for key in SECRET_KEYS[tracker]:
            ref = {"name": secret, "key": key} | ({"optional": True} if tracker in ANY_OF else {})
            env.append({"name": key, "valueFrom": {"secretKeyRef": ref}})
    return env
