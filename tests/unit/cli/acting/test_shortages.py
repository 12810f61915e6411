from types import SimpleNamespace
from typing import Any

import pytest
from swiftlet.cli.acting.planning import PlannedResource
from swiftlet.cli.acting.shortages import Room, machine_room, pod_room, shortages
from swiftlet.kinds.finetunejob.plan import Layout

GI = 2**30


def needs(total: int) -> Any:
    layout = Layout(2, 4, "ddp", 1, 1)  # type: ignore[arg-type]
    return SimpleNamespace(layout=layout, estimate=SimpleNamespace(memory=SimpleNamespace(total=total)))


def planned(gpus: int = 0, **limits: str) -> PlannedResource:
    container = {"name": "train", "resources": {"limits": limits}}
    job = {"kind": "Job", "metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": [container]}}}}
    return PlannedResource({"spec": {"compute": {"gpus": gpus}}}, (job,), None, ())


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (pod_room(planned(memory="12Gi"), None), "4 processes need up to 16.0 GiB, a pod may use 12.0 GiB: lower"),
        (
            pod_room(planned(gpus=4), 3 * GI),
            "1 process needs up to 4.0 GiB, the largest GPU that takes them has 3.0 GiB",
        ),
        (Room("this machine has", 31 * GI, machine_room().processes), "8 processes need up to 32.0 GiB, this machine"),
    ],
)
def test_there_is_too_little(room: Room, said: str) -> None:
    (line,) = shortages(needs(4 * GI), room)
    assert line.startswith(said)
    assert ("raise compute.resources.limits.memory" in line) == ("pod may use" in line)


@pytest.mark.parametrize(
    "room", [pod_room(planned(memory="16Gi"), None), pod_room(planned(), None), pod_room(planned(gpus=4), None)]
)
def test_there_is_enough_or_nobody_knows(room: Room) -> None:
    assert shortages(needs(4 * GI), room) == []
