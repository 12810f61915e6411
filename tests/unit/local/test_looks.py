"""What a look at a resource of this machine makes of a reconciler at fault."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from swiftlet.kinds import Capabilities, Outcome
from swiftlet.local.looks import LocalLooks
from swiftlet.local.node import Node
from swiftlet.local.objects import LocalStore
from swiftlet.local.progress import ProgressReader
from swiftlet.local.scheduling import this_machine
from swiftlet.local.store import Store

METADATA = {"name": "bird", "namespace": "team"}
JOB = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "metadata": METADATA, "spec": {}}


def test_decisions_that_never_rest_are_an_error_that_is_told(tmp_path: Path) -> None:
    """On a cluster others write too, and the next look may find rest; here nobody would ever hear of it."""
    numbers = count()

    def restless(*_: Any) -> Outcome:
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": METADATA, "data": {"a": str(next(numbers))}}
        return Outcome([config], [], {})

    store, kinds = Store(tmp_path), {"FineTuneJob": restless}
    node = Node(tmp_path, store, this_machine(tmp_path, {}), {})
    objects = LocalStore(node, ProgressReader(node), kinds)
    looks = LocalLooks(node, objects, Capabilities(), kinds, lambda item: True)
    store.apply(JOB)
    with pytest.raises(RuntimeError, match="reconciler is at fault: FineTuneJob team/bird: still something to write"):
        asyncio.run(looks.look_at(("FineTuneJob", "team", "bird")))
