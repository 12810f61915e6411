from pathlib import Path
from typing import Any

from testbed.nodes.cluster import BED_FILE, ready_nodes, remove_orphans


def node(name: str, **conditions: str) -> dict[str, Any]:
    """A node with conditions, by type."""
    found = [{"type": kind, "status": status, "reason": "Any"} for kind, status in conditions.items()]
    return {"metadata": {"name": name}, "status": {"conditions": found}}


def test_only_nodes_that_say_so_are_ready() -> None:
    silent: dict[str, Any] = {"metadata": {"name": "new"}, "status": {}}
    nodes = [node("a", Ready="True"), node("b", Ready="Unknown"), node("c", MemoryPressure="True"), silent]
    assert ready_nodes({"items": nodes}) == {"a"}


def test_only_the_disk_of_beds_that_are_gone_is_freed(tmp_path: Path) -> None:
    (tmp_path / "living").mkdir()
    for name, bed in {"one": "living", "two": "gone"}.items():
        (tmp_path / "nodes" / name / "node-1").mkdir(parents=True)
        (tmp_path / "nodes" / name / BED_FILE).write_text(str(tmp_path / bed))
    (tmp_path / "nodes" / "of-somebody-else").mkdir()
    remove_orphans(tmp_path / "nodes")
    assert {path.name for path in (tmp_path / "nodes").iterdir()} == {"one", "of-somebody-else"}
