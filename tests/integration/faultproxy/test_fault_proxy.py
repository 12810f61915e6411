"""The proxy hands on what it should, and does each fault to a real API server's traffic and to nothing else."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from testbed.fault_proxy import FaultProxy
from testbed.faults import Delay, Drop, EndWatch, Fault, Hold, Refuse

Make = Callable[[str], httpx.Response]


@pytest.fixture
def proxy(control_plane: Any, tmp_path: Path) -> Iterator[FaultProxy]:
    with FaultProxy(control_plane.kubeconfig, tmp_path) as running:
        yield running


@pytest.fixture
def http(proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.server, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def make(http: httpx.Client, namespace: str) -> Make:
    """Creates a ConfigMap through the proxy."""

    def create(name: str) -> httpx.Response:
        return http.post(f"/api/v1/namespaces/{namespace}/configmaps", json={"metadata": {"name": name}})

    return create


def _names(core: Any, namespace: str) -> set[str]:
    found = core.list_namespaced_config_map(namespace).items
    return {item.metadata.name for item in found} - {"kube-root-ca.crt"}


def test_kubectl_works_through_it(proxy: FaultProxy, control_plane: Any, namespace: str) -> None:
    direct = control_plane.kubectl("get", "namespace", namespace, "-o", "json")
    through = control_plane.kubectl("get", "namespace", namespace, "-o", "json", kubeconfig=proxy.kubeconfig)
    assert through.stdout == direct.stdout
    missing = control_plane.kubectl("get", "namespace", "none", check=False, kubeconfig=proxy.kubeconfig)
    assert "NotFound" in missing.stderr


def test_requests_are_recorded_with_their_answers(proxy: FaultProxy, make: Make, http: httpx.Client) -> None:
    make("a"), make("a"), http.get("/version")
    assert [(call.verb, call.resource, call.code) for call in proxy.calls] == [
        ("create", "configmaps", 201), ("create", "configmaps", 409), ("get", "", 200),
    ]  # fmt: skip
    assert [call.name for call in proxy.writes] == ["", ""]
    proxy.clear()
    assert proxy.calls == []


def test_a_refusal_is_the_proxys_own_and_ends(proxy: FaultProxy, make: Make, core: Any, namespace: str) -> None:
    fault = Fault(Refuse(429, "TooManyRequests", retry_after=3), verb="create", nth=2)
    proxy.add(fault)
    answers = [make(name) for name in "abc"]
    assert [answer.status_code for answer in answers] == [201, 429, 201]
    assert answers[1].headers["Retry-After"] == "3"
    assert answers[1].json()["reason"] == "TooManyRequests"
    assert _names(core, namespace) == {"a", "c"}
    assert (fault.seen, fault.done) == (3, 1)
    assert [call.reached for call in proxy.calls] == [True, False, True]


@pytest.mark.parametrize(("when", "stored"), [("before", set()), ("after", {"a"})])
def test_a_connection_is_dropped_before_or_after_the_write(
    when: Any, stored: set[str], proxy: FaultProxy, make: Make, core: Any, namespace: str
) -> None:
    called: list[bool] = []
    proxy.add(Fault(Drop(when, then=lambda: called.append(True)), verb="write"))
    with pytest.raises(httpx.TransportError):
        make("a")
    assert _names(core, namespace) == stored
    assert called == [True]
    assert make("b").status_code == 201


def test_a_request_is_delayed(proxy: FaultProxy, make: Make) -> None:
    proxy.add(Fault(Delay(0.5), verb="create"))
    began = time.monotonic()
    assert make("a").status_code == 201
    assert time.monotonic() - began >= 0.5


def test_a_request_is_held_until_it_is_released(proxy: FaultProxy, make: Make, core: Any, namespace: str) -> None:
    released = threading.Event()
    fault = Fault(Hold(released), verb="create")
    proxy.add(fault)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(make, "a")
        while not fault.done:
            time.sleep(0.02)
        assert _names(core, namespace) == set()
        released.set()
        assert held.result().status_code == 201


@pytest.mark.parametrize("how", ["torn", "gone", "closed"])
def test_a_watch_is_ended_after_some_events(
    how: Any, proxy: FaultProxy, make: Make, http: httpx.Client, namespace: str
) -> None:
    make("a"), make("b"), make("c")
    proxy.add(Fault(EndWatch(how, events=2), resource="configmaps"))
    lines: list[str] = []
    url = f"/api/v1/namespaces/{namespace}/configmaps?watch=true&resourceVersion=0"
    try:
        with http.stream("GET", url) as answer:
            lines += answer.iter_lines()
    except httpx.TransportError:
        assert how == "torn"
    whole = [line for line in lines if line.endswith("}")]
    added = [line for line in whole if '"ADDED"' in line]
    assert len(added) == 2
    assert [line for line in whole if '"ERROR"' in line and '"code": 410' in line] == whole[2:]
    assert (len(whole) == 3) is (how == "gone")


def test_open_watches_are_ended_by_word(proxy: FaultProxy, http: httpx.Client, namespace: str) -> None:
    with http.stream("GET", f"/api/v1/namespaces/{namespace}/configmaps?watch=true") as answer:
        lines = answer.iter_lines()
        next(lines)  # kube-root-ca.crt, or its coming
        assert proxy.end_watches(EndWatch("gone"), resource="pods") == 0
        assert proxy.end_watches(EndWatch("gone"), resource="configmaps") == 1
        assert '"code": 410' in list(lines)[-1]
    assert proxy.end_watches(EndWatch("closed")) == 0


def test_an_api_server_that_is_away_is_felt(proxy: FaultProxy, http: httpx.Client, stoppable: Any) -> None:
    stoppable.stop("kube-apiserver")
    try:
        with pytest.raises(httpx.TransportError):
            http.get("/version")
    finally:
        stoppable.start("kube-apiserver")
    assert http.get("/version").status_code == 200
