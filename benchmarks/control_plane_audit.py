"""What the API server noted about every request: who wrote what, and when, to the microsecond."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

CHILDREN = {"networkpolicies", "jobs"}
READS = {"get", "list", "watch"}


class _User(msgspec.Struct):
    username: str


class _Reference(msgspec.Struct):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class _Status(msgspec.Struct):
    code: int = 0


class _Event(msgspec.Struct, rename="camel"):
    stage: str
    verb: str
    user: _User
    request_received_timestamp: str
    stage_timestamp: str
    object_ref: _Reference | None = None
    response_status: _Status | None = None


@dataclass(frozen=True)
class Write:
    """One write that was granted. Times are seconds since the epoch."""

    user: str
    verb: str
    resource: str
    """Plural, with `/status` for that part."""
    namespace: str
    name: str
    asked: float
    answered: float


class AuditLog:
    """Reads on from where it stopped."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0

    def writes(self) -> list[Write]:
        """Every granted write since the last call."""
        with self._path.open("rb") as log:
            log.seek(self._offset)
            data = log.read()
        # The last line may be in the middle of being written.
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return list(_writes(whole.splitlines()))


def _writes(lines: Iterable[bytes]) -> Iterator[Write]:
    decoder = msgspec.json.Decoder(_Event)
    for line in lines:
        event = decoder.decode(line)
        reference, status = event.object_ref, event.response_status
        if event.verb in READS or event.stage != "ResponseComplete" or reference is None or status is None:
            continue
        if status.code >= 300:
            continue
        resource = f"{reference.resource}/{reference.subresource}" if reference.subresource else reference.resource
        times = _seconds(event.request_received_timestamp), _seconds(event.stage_timestamp)
        yield Write(event.user.username, event.verb, resource, reference.namespace, reference.name, *times)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@dataclass
class Timeline:
    """When resources were asked for and when their children were all there, by the resource's name."""

    created: dict[str, float] = field(default_factory=dict)
    whole: dict[str, float] = field(default_factory=dict)

    @property
    def latencies(self) -> list[float]:
        """Seconds from a resource's creation to its last child, in rising order."""
        return sorted(self.whole[name] - moment for name, moment in self.created.items() if name in self.whole)


def timeline(writes: Iterable[Write], by: str) -> Timeline:
    """FineTuneJobs that were created, and the children that `by` made for them."""
    children = dict.fromkeys(CHILDREN, 1)
    return children_timeline(writes, "finetunejobs", {by}, children, lambda name: name.rpartition("-train")[0])


def children_timeline(
    writes: Iterable[Write],
    parents: str,
    users: Container[str],
    children: Mapping[str, int],
    owner: Callable[[str], str],
) -> Timeline:
    """Resources that were created, and the children that `users` made for them.

    children: how many of each resource make a whole. owner: a child's resource by the child's name.
    """
    found = Timeline()
    made: dict[str, dict[tuple[str, str], float]] = {}
    for write in writes:
        if write.resource == parents and write.verb == "create":
            found.created[write.name] = write.answered
        elif write.user in users and write.resource in children:
            made.setdefault(owner(write.name), {}).setdefault((write.resource, write.name), write.answered)
    for name in made.keys() & found.created.keys():
        if Counter(resource for resource, _ in made[name]) == Counter(children):
            found.whole[name] = max(made[name].values())
    return found


def tally(writes: Iterable[Write], by: str) -> Counter[str]:
    """How many writes of each resource `by` made."""
    return Counter(write.resource for write in writes if write.user == by)


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of the (sorted) values do not exceed."""
    return values[min(len(values) - 1, int(len(values) * share))]
