"""From what the API server noted to when children were there."""

from control_plane_audit import Write, children_timeline, timeline

CHILDREN = {"pods": 2, "services": 1}


def write(resource: str, name: str, at: float, user: str = "us", verb: str = "create") -> Write:
    return Write(user, verb, resource, "team", name, at - 0.1, at)


def owner(name: str) -> str:
    return name.partition("-")[0]


def test_a_resource_is_whole_with_the_first_writes_of_all_its_children() -> None:
    writes = [
        write("things", "a", 1, user="someone"),
        write("services", "a-s", 2),
        write("pods", "a-1", 3),
        write("pods", "a-2", 4),
        write("pods", "a-2", 9, verb="patch"),
        write("things", "b", 2, user="someone"),
        write("pods", "b-1", 3),
        write("services", "b-s", 3),
    ]
    found = children_timeline(writes, "things", {"us"}, CHILDREN, owner)
    assert found.created == {"a": 1, "b": 2}
    assert found.whole == {"a": 4}
    assert found.latencies == [3]


def test_children_of_others_and_of_resources_from_before_do_not_count() -> None:
    writes = [
        write("things", "a", 1),
        write("services", "a-s", 2),
        write("pods", "a-1", 3),
        write("pods", "a-2", 4, user="them"),
        *(write(resource, name, 5) for resource, name in (("services", "z-s"), ("pods", "z-1"), ("pods", "z-2"))),
    ]
    assert children_timeline(writes, "things", {"us"}, CHILDREN, owner).whole == {}


def test_children_of_a_fine_tune_job() -> None:
    kinds = {"networkpolicies": 3.0, "jobs": 5.0}
    writes = [write("finetunejobs", "bird", 1), *(write(kind, "bird-train-0", at) for kind, at in kinds.items())]
    assert timeline(writes, "us").latencies == [4]
