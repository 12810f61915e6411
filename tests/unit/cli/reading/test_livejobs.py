"""Pods of what is at work, whatever stands between them and their resource."""

from typing import Any

from swiftlet.cli.reading.livejobs import pods_of

Object = dict[str, Any]


def made(kind: str, name: str, owner: Object | None = None, ours: bool = True) -> Object:
    metadata: Object = {"name": name, "namespace": "team", "uid": f"uid-{name}"}
    if owner:
        about = {"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        metadata["ownerReferences"] = [{**about, "controller": True}]
    if ours:
        metadata["labels"] = {"swiftlet.dev/owner-uid": "uid-bird"}
    return {"kind": kind, "metadata": metadata}


class World:
    """What a cluster lists, and which kinds were asked for."""

    def __init__(self, *objects: Object) -> None:
        self.objects, self.asked = objects, list[str]()

    def list(self, kind: str, namespace: str | None = None, labels: Any = None) -> list[Object]:
        self.asked.append(kind)
        return [one for one in self.objects if one["kind"] == kind]


def names(world: Any, run: Object) -> list[str]:
    return [pod["metadata"]["name"] for pod in pods_of(world, "team", [run])["uid-bird"]]


def test_pods_of_a_run_are_found_by_way_of_its_job_or_jobset() -> None:
    run = made("FineTuneJob", "bird")
    job = made("Job", "a", run)
    assert names(World(job, made("Pod", "p", job)), run) == ["p"]
    jobset = made("JobSet", "s", run)
    job = made("Job", "b", jobset)
    assert names(World(jobset, job, made("Pod", "q", job)), run) == ["q"]


def test_jobsets_are_asked_for_where_a_run_has_one_only() -> None:
    """They need not be there, nor may everybody read them."""
    world = World(made("Job", "theirs", made("JobSet", "others", ours=False), ours=False))
    assert names(world, made("FineTuneJob", "bird")) == [] and "JobSet" not in world.asked
