"""The containers that write what a run leaves to places beyond its volumes: `restore` before everything else of the
pod, `upload` beside the training.

They alone have the credentials. They read the job document, which says what goes where.
"""

from collections.abc import Iterable
from typing import Any

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.api.v1alpha1.uris import parse_uri, scheme_of
from swiftlet.kinds.pods.podspec import container, image_of, plain_env
from swiftlet.storage.mount import Mount

Manifest = dict[str, Any]

RESTORE = "restore"
"""Sees that what will be written can be, and brings the newest checkpoint where the volume has none as new."""
UPLOAD = "upload"
"""Copies checkpoints while `train` runs, then the artifact. A kubelet lists containers by name: it comes after `train`,
so that this is what a pod is seen to do while both run."""
PUBLISH = "publish"
"""Attaches what `evaluate` has found to what it was found of; called so for the same reason."""
RESOURCES = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
"""It holds a few parts of files, whatever their size."""

OWN_CODE = {"name": "PYTHONSAFEPATH", "value": "1"}
"""It starts in a folder that `train` can write to, and `python -m` would import what lies there."""


def upload_container(
    verb: str,
    profile: ComputeProfileSpec,
    targets: Iterable[str | None],
    mounts: tuple[Mount, ...],
    env: list[Manifest],
) -> list[Manifest]:
    """The container `verb`, where any of `targets` is a URI to write to; else none. env: what else it has to know."""
    schemes = {(uri := parse_uri(text)).scheme: scheme_of(uri) for text in targets if text}
    if not schemes:
        return []
    keys = [entry for scheme in schemes.values() for entry in scheme.environment(profile.storage)]
    return [
        container(verb, image_of(profile, "trainer"), mounts, [*plain_env(profile), *env, *keys, OWN_CODE], RESOURCES)
    ]
