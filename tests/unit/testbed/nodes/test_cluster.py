from typing import Any

from testbed.nodes.cluster import ready_nodes


def node(name: str, **conditions: str) -> dict[str, Any]:
    """A node with conditions, by type."""
    found = [{"type": kind, "status": status, "reason": "Any"} for kind, status in conditions.items()]
    return {"metadata": {"name": name}, "status": {"conditions": found}}


def test_only_nodes_that_say_so_are_ready() -> None:
    silent: dict[str, Any] = {"metadata": {"name": "new"}, "status": {}}
    nodes = [node("a", Ready="True"), node("b", Ready="Unknown"), node("c", MemoryPressure="True"), silent]
    assert ready_nodes({"items": nodes}) == {"a"}
