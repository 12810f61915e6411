"""What is known already."""

from typing import Any

from swiftlet.kube.cache import Cache, key_of


def job(version: int) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "default", "uid": "1", "resourceVersion": str(version)}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}


def test_it_knows_what_it_has_and_what_is_older() -> None:
    cache, key = Cache(), key_of(job(5))
    assert not cache.knows(key, 5)
    assert cache.put(job(5))
    assert cache.knows(key, 5)
    assert cache.knows(key, 4)
    assert not cache.knows(key, 6)


def test_it_knows_what_was_deleted_later() -> None:
    cache, key = Cache(), key_of(job(5))
    cache.put(job(5))
    cache.remove(job(6))
    assert cache.knows(key, 5)
    assert not cache.put(job(5))
    assert not cache.knows(key, 7)
