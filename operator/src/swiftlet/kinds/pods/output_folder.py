"""The container that makes a run's own folder on the artifacts volume.

A run mounts its own folder alone (`subPath`), so that it cannot change what others have written. The kubelet would make
a missing one, but as root and with the mode of the volume's root, which the pod's user may not be able to write to, and
where root is squashed (NFS) not at all. So a container of the pod's own user makes it first. It alone sees the whole
volume writable, and it runs nothing but mkdir: no data, no model and no code of a run is read in it.
"""

from typing import Any

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds.pods import mounts
from swiftlet.kinds.pods.podspec import USER, image_of, restricted
from swiftlet.wire.documents import ARTIFACTS_ROOT

NAME = "folder"
SCRIPT = 'mkdir -p "${SWIFTLET_ROOT%/}$0" || { echo "$1" >&2; exit 1; }'
"""SWIFTLET_ROOT: see wire/documents.py. What is made and what is said are arguments, which the shell does not read."""


def make_folder(profile: ComputeProfileSpec, folder: str, resources: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The init container that makes `folder` on the artifacts volume."""
    claim = profile.storage.artifacts_claim
    remedy = (
        f"user {USER} cannot make folder {folder} on PersistentVolumeClaim {claim}: let this user, or group {USER},"
        " write to the root of the volume"
    )
    command = ["sh", "-c", SCRIPT, f"{ARTIFACTS_ROOT}/{folder}", remedy]
    return restricted(
        NAME, image_of(profile, "trainer"), command, [mounts.artifacts(claim, read_only=False)], [], resources
    )
