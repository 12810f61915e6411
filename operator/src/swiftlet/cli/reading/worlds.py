"""Which world a command line means."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import default_state, is_on_cluster
from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.statefolder import open_store
from swiftlet.cli.reading.world import World

if TYPE_CHECKING:
    from swiftlet.cli.reading.clusterworld import ClusterWorld


def open_world(options: argparse.Namespace) -> World:
    """The cluster of --context or --kubeconfig, else the state folder. Raises CommandError and ClusterError."""
    return open_cluster(options) if is_on_cluster(options) else open_store(options.state or default_state())


def open_cluster(options: argparse.Namespace) -> "ClusterWorld":
    """The cluster that the options name. Raises CommandError and ClusterError."""
    if options.state and (options.context or options.kubeconfig):
        raise CommandError(
            "--state is a folder of this machine, --context and --kubeconfig are a cluster; give one of them",
            exitcodes.INVALID,
        )
    try:
        from swiftlet.cli.reading.clusterworld import ClusterWorld
        from swiftlet.cluster.kubeconfigs import load_access
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is not installed; reading a cluster needs: pip install 'swiftlet[cluster]'",
            exitcodes.INVALID,
        ) from error
    from swiftlet.cluster.connection import Connection

    return ClusterWorld(Connection(load_access(options.kubeconfig, options.context)))
