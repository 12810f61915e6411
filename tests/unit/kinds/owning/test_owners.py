"""What belongs to what."""

from typing import Any

from swiftlet.kinds.owning.owners import descendants, root_of

Manifest = dict[str, Any]


def item(kind: str, name: str, owner: Manifest | None = None, namespace: str = "team", **reference: Any) -> Manifest:
    metadata: Manifest = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    if owner is not None:
        about = {"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        metadata["ownerReferences"] = [{**about, "controller": True, **reference}]
    return {"kind": kind, "metadata": metadata}


RUN = item("FineTuneJob", "bird")
JOB = item("Job", "bird-train-0", RUN)
POD = item("Pod", "bird-train-0-x", JOB)


def test_children_and_what_they_control() -> None:
    strangers = [
        item("Job", "elsewhere", RUN, namespace="other"),
        item("Job", "not-controlled", RUN, controller=False),
        item("Job", "of-a-predecessor", RUN, uid="uid-of-before"),
        {"kind": "Pod", "metadata": {**POD["metadata"], "name": "labelled", "ownerReferences": []}},
    ]
    found = descendants([POD, *strangers, JOB], "team", "uid-bird")
    assert [child["metadata"]["name"] for child in found] == ["bird-train-0", "bird-train-0-x"]


def test_the_root_of_a_chain() -> None:
    objects = {(found["kind"], "team", found["metadata"]["name"]): found for found in (RUN, JOB, POD)}
    assert root_of(POD, lambda *key: objects.get(key)) == RUN
    assert root_of(RUN, lambda *key: objects.get(key)) == RUN
    del objects["Job", "team", "bird-train-0"]
    assert root_of(POD, lambda *key: objects.get(key)) is None


def test_a_loop_has_no_root() -> None:
    one, two = item("Job", "one", item("Job", "two")), item("Job", "two", item("Job", "one"))
    objects = {("Job", "team", "one"): one, ("Job", "team", "two"): two}
    assert root_of(one, lambda *key: objects.get(key)) is None
