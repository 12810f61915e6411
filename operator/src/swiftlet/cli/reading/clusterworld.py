"""A cluster, read as a state folder is (`cli.reading.world.World`)."""

import sys
from datetime import datetime
from pathlib import Path

from swiftlet.cli.reading.clusterlogs import ClusterLogs
from swiftlet.cluster.connection import Connection
from swiftlet.cluster.objects import ClusterObjects


class ClusterWorld(ClusterObjects):
    """Controllers are always at work there, and files lie on its volumes."""

    pause = 1.0
    folder: Path | None = None

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, self._warn_once)
        self._warned: set[str] = set()
        self.namespace = connection.access.namespace

    def is_at_work(self) -> bool:
        return True

    def lines(self, namespace: str, tail: int | None = None, since: datetime | None = None) -> ClusterLogs:
        return ClusterLogs(self.connection, namespace, tail, since)

    def _warn_once(self, text: str) -> None:
        """Who watches reads the same again and again."""
        if text not in self._warned:
            self._warned.add(text)
            print(f"WARNING {text}", file=sys.stderr)
