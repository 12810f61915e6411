"""What `logs` prints, and when it stops following."""

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from swiftlet.cli.reading.logreading import check_container, pods_to_read
from swiftlet.cli.reading.world import Choice, Line, World
from swiftlet.kinds.conditions.summary import settled

Object = dict[str, Any]


@dataclass(frozen=True)
class LogRequest:
    """One question. `item`: the resource or pod. `tail` None: every line; `since` None: from the beginning."""

    world: World
    item: Object
    choice: Choice
    follow: bool
    tail: int | None
    timestamps: bool
    since: datetime | None = None


def print_logs(request: LogRequest) -> None:
    """Print the lines; with `follow`, until the pods have ended or no engine runs."""
    namespace = request.item["metadata"].get("namespace") or "default"
    world = request.world
    reader = world.lines(namespace, request.tail, request.since)
    pods = pods_to_read(world, request.item, request.choice)
    check_container(pods, request.choice.container)
    _hint(request, pods)
    lines = [line for line in reader.new_lines(pods, request.choice) if _is_wanted(line, request.since)]
    _print(request, lines[-request.tail :] if request.tail else [] if request.tail == 0 else lines)
    while request.follow and not _is_over(request, pods):
        time.sleep(world.pause)
        pods = pods_to_read(world, request.item, request.choice)
        _print(request, reader.new_lines(pods, request.choice))
    if request.follow:
        _print(request, reader.new_lines(pods, request.choice))


def _is_wanted(line: Line, since: datetime | None) -> bool:
    # Both are UTC in RFC 3339, and compare as text.
    return since is None or line.time >= since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _print(request: LogRequest, lines: list[Line]) -> None:
    for line in lines:
        origin = f"[{line.pod}/{line.container}] " if request.choice.all_pods else ""
        print(f"{line.time + ' ' if request.timestamps else ''}{origin}{line.text}")
    sys.stdout.flush()


def _hint(request: LogRequest, pods: list[Object]) -> None:
    """Say on stderr what is not shown."""
    if not pods:
        print(without_pods(request.item), file=sys.stderr)
        return
    first = pods[0]["metadata"]
    job = next((owner["name"] for owner in first.get("ownerReferences") or [] if owner["kind"] == "Job"), None)
    if request.item["kind"] == "Pod" or request.choice.all_pods or job is None:
        return
    everyone = pods_to_read(request.world, request.item, Choice(previous=request.choice.previous, all_pods=True))
    if len(everyone) > 1:
        print(f"first of {len(everyone)} pods, {first['name']}; --all-pods shows the others", file=sys.stderr)


def without_pods(item: Object) -> str:
    """What is said of a resource that has no pods: none has started, or they are gone, and what its status has kept of
    their last lines."""
    status = item.get("status") or {}
    failure = status.get("failure") or {}
    if not failure and not status.get("completionTime"):
        return "no pod has started yet"
    gone = "the pods are gone, and their logs with them"
    if failure:
        who = f"pod {failure['pod']}" if failure.get("pod") else "the pod that failed"
        kept = [failure.get("message"), failure.get("traceback")]
    elif status.get("lastLines"):
        who, kept = "what the run said of itself", [status["lastLines"]]
    else:
        # Of a run of an earlier release, and of one whose figures left no room: a cluster's own log store has them.
        named = f"{item['kind'].lower()}/{item['metadata']['name']}"
        return (
            f"{gone}; `swiftlet describe {named}` says what came of it, and `swiftlet report {named}` where its page is"
        )
    return "\n".join([f"{gone}; the status has kept of {who}:", *(text.rstrip() for text in kept if text)])


def _is_over(request: LogRequest, pods: list[Object]) -> bool:
    """No line will follow: nothing runs, or what was asked for has ended."""
    world, item = request.world, request.item
    if not world.is_at_work():
        return True
    if item["kind"] == "Pod":
        return all((pod.get("status") or {}).get("phase") in ("Succeeded", "Failed") for pod in _fresh(world, pods))
    metadata = item["metadata"]
    current = world.get(item["kind"], metadata.get("namespace"), metadata["name"])
    if current is None:
        return True
    # A served model goes on writing while it is ready.
    return current["kind"] != "ModelDeployment" and settled(current) is not None


def _fresh(world: World, pods: list[Object]) -> list[Object]:
    found = [world.get("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods]
    return [pod for pod in found if pod is not None]
