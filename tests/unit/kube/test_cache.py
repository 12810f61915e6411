"""What is known already."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from swiftlet.control.keys import key_of
from swiftlet.kube.cache import LARGEST_STRAY, STRAY_BYTES, Cache

OWNER = "swiftlet.dev/owner-uid"


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


def thing(
    kind: str, name: str, owner: tuple[str, str] | None = None, version: int = 5, namespace: str = "team", **more: Any
) -> dict[str, Any]:
    """An object with our label; `owner`: kind and name of its controller."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    metadata |= {"resourceVersion": str(version), "labels": {OWNER: "uid-bird"}}
    if owner:
        metadata["ownerReferences"] = [
            {"kind": owner[0], "name": owner[1], "uid": f"uid-{owner[1]}", "controller": True}
        ]
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


RUN = thing("FineTuneJob", "bird")
TRAIN = thing("Job", "bird-train-0", ("FineTuneJob", "bird"))
POD = thing("Pod", "bird-train-0-x", ("Job", "bird-train-0"))


def names(cache: Cache, namespace: str = "team") -> list[str]:
    return [child["metadata"]["name"] for child in cache.children(namespace, "uid-bird")]


@given(st.permutations([RUN, TRAIN, POD]))
def test_children_in_whatever_order_they_are_seen(order: list[dict[str, Any]]) -> None:
    cache = Cache()
    for manifest in order:
        cache.put(manifest)
    assert names(cache) == ["bird-train-0", "bird-train-0-x"]
    assert cache.resource_of(POD) == ("FineTuneJob", "team", "bird")


def test_a_label_makes_no_child() -> None:
    cache = Cache()
    for manifest in (
        RUN,
        thing("Pod", "labelled"),
        thing("Job", "other", ("FineTuneJob", "bird"), namespace="attacker"),
    ):
        cache.put(manifest)
    assert names(cache) == []
    assert cache.resource_of(thing("Pod", "labelled")) is None


def test_a_resource_with_the_label_and_a_controller_is_a_resource() -> None:
    cache = Cache()
    cache.put(thing("FineTuneJob", "bird", ("Workflow", "nightly")))
    assert cache.resource("uid-bird") == ("FineTuneJob", "team", "bird")
    assert cache.resource_of(thing("FineTuneJob", "bird", ("Workflow", "nightly"))) == ("FineTuneJob", "team", "bird")


def test_controllers_in_a_loop_end() -> None:
    cache = Cache()
    cache.put(thing("Job", "one", ("Job", "two")))
    cache.put(thing("Job", "two", ("Job", "one")))
    assert cache.resource_of(thing("Job", "one", ("Job", "two"))) is None


def test_strays_have_a_bounded_place_and_push_out_no_child() -> None:
    """Also those that hang on a stray: whoever may create one Job may let it control a thousand pods."""
    cache = Cache()
    for manifest in (RUN, TRAIN, POD):
        cache.put(manifest)
    text = {"annotations": "x" * (LARGEST_STRAY // 2)}
    cache.put(thing("Job", "evil", data=text))
    for number in range(4 * STRAY_BYTES // LARGEST_STRAY):
        cache.put(thing("ConfigMap", f"labelled-{number}", data=text))
        cache.put(thing("ConfigMap", f"hanging-{number}", ("Job", "evil"), data=text))
        cache.put(thing("ConfigMap", f"elsewhere-{number}", ("FineTuneJob", "bird"), namespace="attacker", data=text))
    kept = [cache.get(key) for key in cache.keys("ConfigMap")]
    assert sum(len(str(found)) for found in kept) < 1.1 * STRAY_BYTES
    assert names(cache) == ["bird-train-0", "bird-train-0-x"]


def test_one_large_stray_is_not_kept() -> None:
    cache = Cache()
    cache.put(thing("Job", "evil", spec={"text": "x" * 2 * LARGEST_STRAY}))
    assert cache.keys("Job") == []


def test_children_become_strays_when_their_resource_goes() -> None:
    cache = Cache()
    large = thing("Job", "bird-train-0", ("FineTuneJob", "bird"), spec={"text": "x" * LARGEST_STRAY})
    for manifest in (RUN, large, POD):
        cache.put(manifest)
    cache.remove({**RUN, "metadata": {**RUN["metadata"], "resourceVersion": "6"}})
    assert names(cache) == ["bird-train-0", "bird-train-0-x"], "until the garbage collector has taken them"
    cache.put({**large, "metadata": {**large["metadata"], "resourceVersion": "7"}})
    assert cache.keys("Job") == []
    assert cache.get(("Pod", "team", "bird-train-0-x")) is not None
