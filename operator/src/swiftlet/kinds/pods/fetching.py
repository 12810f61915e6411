"""The container that fetches what a pod reads from no volume of the cluster, before anything else of the pod runs.

It alone has the credentials; what is fetched lies in volumes of the pod's own.
"""

from collections.abc import Sequence
from typing import Any

from swiftlet.api.v1alpha1.compute import parse_quantity
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.api.v1alpha1.object_storage import S3
from swiftlet.api.v1alpha1.uris import parse_uri, scheme_of
from swiftlet.kinds.pods.podspec import plain_env, restricted
from swiftlet.storage.mount import Mount

NAME = "fetch"


def fetch_containers(
    profile: ComputeProfileSpec, image: dict[str, str], places: Sequence[Mount], resources: dict[str, dict[str, str]]
) -> list[dict[str, Any]]:
    """The container, when one of the pod's mounts (`places`) is to be filled; else none."""
    wanted = {mount.fetched: None for mount in places if mount.fetched}
    if not wanted:
        return []
    bound = int(parse_quantity((profile.storage.s3 or S3()).most_fetched))
    command = ["python", "-m", "swiftlet_trainer", NAME, "--most", str(bound)]
    schemes = {(uri := parse_uri(one.uri)).scheme: scheme_of(uri) for one in wanted}
    env = [entry for scheme in schemes.values() for entry in scheme.environment(profile.storage)]
    command += [part for one in wanted for part in ("--source", one.uri, one.path)]
    return [restricted(NAME, image, command, places, [*plain_env(profile), *env], resources)]
