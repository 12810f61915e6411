"""Refusals and silence as a person reads them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from swiftlet.cluster.errors import ClusterError, RefusedError

PATH = "/api/v1/namespaces/team/pods"


def test_an_answer_is_a_document(server: Any) -> None:
    server.says(f"GET {PATH}", {"items": []})
    assert server.connection("Bearer key").send("GET", PATH, {"limit": "1"}) == {"items": []}
    ((what, headers),) = server.asked
    assert (what, headers["Authorization"]) == (f"GET {PATH}?limit=1", "Bearer key")


def test_who_is_not_known_is_told_to_log_in(server: Any) -> None:
    server.refuses(f"GET {PATH}", 401, "Unauthorized", "Unauthorized")
    with pytest.raises(RefusedError, match=f"context lab: the API server {server.url} does not accept.*log in anew"):
        server.connection().send("GET", PATH)


def test_a_missing_right_is_told_with_its_grant(server: Any) -> None:
    message = 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "team"'
    server.refuses(f"GET {PATH}", 403, "Forbidden", message)
    with pytest.raises(RefusedError, match="context lab: jane may not list pods in namespace team") as refused:
        server.connection().send("GET", PATH)
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")


def test_an_ill_server_is_told_with_its_words(server: Any) -> None:
    server.says(f"GET {PATH}", "etcd is gone", 503)
    with pytest.raises(RefusedError, match="context lab: the API server answered 503: etcd is gone"):
        server.connection().send("GET", PATH)


def test_a_page_is_no_answer(server: Any) -> None:
    server.says(f"GET {PATH}", "<html>log in</html>")
    with pytest.raises(ClusterError, match="the answer is none of an API server"):
        server.connection().send("GET", PATH)


def test_nobody_there(server: Any, free_port: Callable[[], int]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ClusterError, match=re.escape(f"context lab: the API server {url} cannot be reached")):
        server.connection(url=url).send("GET", PATH)
