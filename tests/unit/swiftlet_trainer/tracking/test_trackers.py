"""What trackers' own clients leave behind, read back: each step once over two attempts, under the resource's name."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.tracking import ReportTo
from swiftlet_trainer.tracking.registry import tracker_of

LOSSES = {1: 1.0, 2: 0.5, 3: 1 / 3, 4: 0.25}
HELD_OUT = {2: 0.5, 4: 0.5}
RUN = "0f1e2d3c-0000-4000-8000-000000000001"


def test_every_tracker_of_the_api_is_found() -> None:
    asked = {name: {} for name in ReportTo.model_fields} | {"mlflow": {"trackingUri": "http://m"}}
    asked |= {name: {"mode": "offline"} for name in ("wandb", "swanlab")}
    report_to = ReportTo.model_validate(asked)
    assert len({type(tracker_of(report_to, name)) for name in report_to.names}) == len(ReportTo.model_fields) == 4


def test_tensorboard_shows_both_attempts_as_one_run(tracked: Any) -> None:
    from tensorboardX.proto.event_pb2 import Event

    tracked.two_attempts(tensorboard={})
    found: dict[str, dict[int, float]] = {}
    for file in sorted((tracked.folder / "tensorboard").iterdir()):
        for record in _tfrecords(file.read_bytes()):
            event = Event.FromString(record)
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    assert found["train/loss"] == pytest.approx(LOSSES) and found["eval/loss"] == pytest.approx(HELD_OUT)


def _tfrecords(data: bytes) -> list[bytes]:
    """Length (8 bytes), its checksum (4), the record, its checksum (4). Source: TensorFlow, TFRecord."""
    found = []
    while data:
        length = int.from_bytes(data[:8], "little")
        found.append(data[12 : 12 + length])
        data = data[16 + length :]
    return found


def test_wandb_offline(tracked: Any) -> None:
    import wandb
    from swanlab.converter.wb.wbdatastore import WBDataStoreReader  # a reader of these files that is not W&B's
    from wandb.proto.wandb_internal_pb2 import Record

    tracked.two_attempts(wandb={"mode": "offline", "project": "birds"})
    wandb.teardown()  # as at the end of a process: before it, the program that writes may have a run's last lines still
    runs, steps, codes = [], [], []
    for file in sorted((tracked.folder / "wandb").glob("offline-run-*/*.wandb"), key=lambda one: one.stat().st_mtime):
        with WBDataStoreReader() as reader:
            reader.open(file)
            while data := reader.scan():
                record = Record.FromString(data)
                if record.WhichOneof("record_type") == "run":
                    runs.append(record.run)
                elif record.WhichOneof("record_type") == "history":
                    steps.append({item.key or item.nested_key[0]: item.value_json for item in record.history.item})
                elif record.WhichOneof("record_type") == "exit":
                    codes.append(record.exit.exit_code)
    assert {int(step["_step"]): float(step["train/loss"]) for step in steps} == pytest.approx(LOSSES)
    assert {int(step["_step"]): float(step["eval/loss"]) for step in steps if "eval/loss" in step} == HELD_OUT
    assert len(steps) == 4 and codes == [1, 0]
    assert {(run.run_id, run.display_name, run.project) for run in runs} == {(RUN, "team/bird", "birds")}
    config = {item.key: json.loads(item.value_json) for item in runs[0].config.update}
    assert config["training.seed"] == "1" and config["swiftlet.namespace"] == "team"
    assert "team" in runs[0].tags


def test_swanlab_offline(tracked: Any) -> None:
    tracked.two_attempts(swanlab={"mode": "offline", "project": "birds"})
    found: dict[str, dict[int, float]] = {}
    folders = sorted((tracked.folder / "swanlab").glob("run-*"))
    assert len(folders) == 2
    for folder in folders:
        for key, step, value in _swanlab_scalars(folder):
            assert step not in found.setdefault(key, {}), "a step is told twice"
            found[key][step] = value
    assert found["train/loss"] == pytest.approx(LOSSES) and found["eval/loss"] == pytest.approx(HELD_OUT)


def _swanlab_scalars(folder: Path) -> list[tuple[str, int, float]]:
    from swanlab.proto.swanlab.record.v1.record_pb2 import Record
    from swanlab.sdk.internal.core_python.store import DataStoreReader

    (file,) = folder.glob("*.swanlab")
    reader = DataStoreReader()
    reader.open(file)
    records = [Record.FromString(data) for data in reader]
    reader.close()
    return [
        (one.scalar.key, one.scalar.step, one.scalar.value.number)
        for one in records
        if one.WhichOneof("record_type") == "scalar"
    ]
