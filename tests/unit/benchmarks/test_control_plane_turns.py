"""When the resources of a side were whole."""

from control_plane_audit import Write
from control_plane_sides import KUBERAY, TRAINER, Side
from control_plane_turns import named, timeline_of


def write(side: Side, resource: str, name: str, at: float, user: str = "") -> Write:
    return Write(user or min(side.users), "create", resource, side.namespace, name, at - 0.1, at)


def test_children_of_trainer_are_made_by_two_controllers() -> None:
    trainer, jobset = sorted(TRAINER.users, key=lambda user: "jobset" in user)
    writes = [
        write(TRAINER, "trainjobs", "run-00007", 1, "admin"),
        write(TRAINER, "jobsets", "run-00007", 2, trainer),
        write(TRAINER, "services", "run-00007", 3, jobset),
        write(TRAINER, "jobs", "run-00007-node-0", 4, jobset),
        write(TRAINER, "jobsets/status", "run-00007", 5, jobset),
    ]
    assert timeline_of(writes, TRAINER).whole == {"run-00007": 4}
    assert timeline_of(writes[:3], TRAINER).whole == {}
    assert timeline_of(writes, KUBERAY).created == {}


def test_pods_that_the_api_server_names_are_of_the_service_before_them() -> None:
    writes = [
        *(write(KUBERAY, "rayclusters", f"run-0000{number}", 1, "admin") for number in (1, 2)),
        write(KUBERAY, "services", "run-00002-head-svc", 2),
        write(KUBERAY, "pods", "", 3),
        write(KUBERAY, "pods/status", "run-00001-head-abcde", 3.5),
        write(KUBERAY, "pods", "", 4),
        write(KUBERAY, "services", "run-00001-head-svc", 5),
        write(KUBERAY, "pods", "", 6),
    ]
    assert timeline_of(writes, KUBERAY).whole == {"run-00002": 4}
    assert len({each.name for each in named(writes, KUBERAY)}) == len(writes)


def test_a_pod_that_comes_late_is_of_the_resource_that_lacks_one() -> None:
    writes = [
        *(write(KUBERAY, "rayclusters", f"run-0000{number}", 1, "admin") for number in (1, 2)),
        write(KUBERAY, "services", "run-00001-head-svc", 2),
        write(KUBERAY, "pods", "", 3),
        write(KUBERAY, "services", "run-00002-head-svc", 4),
        *(write(KUBERAY, "pods", "", at) for at in (5, 6, 7)),
    ]
    assert timeline_of(writes, KUBERAY).whole == {"run-00002": 6, "run-00001": 7}
