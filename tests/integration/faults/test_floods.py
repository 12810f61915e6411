"""A crowd with forged tokens at the progress endpoint, while the API server answers no question about tokens."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
from swiftlet.kube.lease import GIVE_UP_SECONDS
from testbed.faults import Delay, Fault
from testbed.scene import Scene

Object = dict[str, Any]
SECONDS = 15.0
"""That the crowd goes on for at least."""


def _forge(url: str, address: str, token: str, is_over: threading.Event) -> None:
    """Post with one forged token after the other, from an address of the loopback network."""
    body = json.dumps([{"time": "2026-01-01T00:00:00Z", "step": 1}])
    number = 0
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address), trust_env=False, timeout=10) as client:
        while not is_over.is_set():
            number += 1
            headers = {"Authorization": f"Bearer {token.rpartition('.')[0]}.forged-{number}"}
            try:
                client.post(f"{url}/progress", content=body, headers=headers)
            except httpx.HTTPError:
                time.sleep(0.05)


def test_the_lease_is_renewed_and_new_work_is_done_under_a_flood(
    new_scene: Callable[..., Scene], document: Callable[..., Object]
) -> None:
    lease = ("--lease-namespace", "default", "--lease-name", "flooded")
    scene = new_scene(*lease, "--progress-url", "http://operator.test:8080/progress")
    uid = scene.create(document("mine"))["metadata"]["uid"]
    scene.start_pods(uid)
    pod = scene.pods(uid)[0]
    bound = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    spec = {"audiences": ["swiftlet-operator"], "expirationSeconds": 600, "boundObjectRef": bound}
    token = scene.core.create_namespaced_service_account_token("default", scene.namespace, {"spec": spec}).status.token
    scene.proxy.clear()
    scene.proxy.add(Fault(Delay(60), verb="create", resource="tokenreviews", times=100_000))
    began, is_over = time.monotonic(), threading.Event()
    with ThreadPoolExecutor(40) as crowd:
        for host in range(2, 42):
            crowd.submit(_forge, scene.operator.url, f"127.0.0.{host}", token, is_over)
        try:
            time.sleep(2)
            late = scene.create(document("late"))["metadata"]["uid"]
            scene.wait(lambda: len(scene.children(late)) == 3, "children of new work", seconds=10)
            time.sleep(max(0.0, began + SECONDS - time.monotonic()))
        finally:
            is_over.set()
    seconds = time.monotonic() - began
    renewals = [call.at for call in scene.proxy.calls if (call.verb, call.resource) == ("patch", "leases")]
    assert max(after - before for before, after in pairwise(renewals)) < GIVE_UP_SECONDS / 2
    assert "the lease was lost" not in scene.operator.log
    reviews = [call for call in scene.proxy.calls if call.resource == "tokenreviews"]
    assert 0 < len(reviews) <= 40 * (20 + seconds + 5)
