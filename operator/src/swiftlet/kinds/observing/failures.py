"""The first cause of a failure, from what the pods of one attempt left behind."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from swiftlet import __version__
from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.kinds.observing.disruptions import EVICTED, POD_DELETED, Taking, taking_of
from swiftlet.kinds.observing.observed import completion_index, container_statuses
from swiftlet.wire.figures import untabled
from swiftlet.wire.messages import EXIT_TERMINATED, NEVER_RETRIED, TerminationMessage
from swiftlet.wire.reading import problem_line, read
from swiftlet.wire.version import version_problem

PEER_FAILED = "PeerFailed"
"""Reason that the trainer gives when a process failed only because another one went away."""

SECONDARY_SIGNS = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Connection refused",
    "Broken pipe",
    "remote process exited",
    "recvValue failed",
    "sendBytes failed",
    "DistNetworkError",
    "DistStoreError",
    "NCCL remote",
    "ncclRemoteError",
)
"""What a log's last lines say when another rank went first (gloo, the TCP store, NCCL): never first causes."""

EXIT_KILLED = 137
"""128 + SIGKILL."""
OOM_REMEDIES = {
    "train": "raise the memory limit in compute.resources, lower training.perDeviceBatchSize, or set"
    " training.gradientCheckpointing",
    "evaluate": "raise the memory limit in compute.resources, or lower batchSize",
}
"""What to change where a container was killed for memory, by its name; each can be changed, and the work goes on."""
OOM_REMEDY = "raise the memory limit in compute.resources"
SKEW_REMEDY = "its pod was of another release: upgrade the operator to that release"
LAST_LINES = 1000
"""Characters of a raw termination message, and of a run's own last lines, that a status keeps; the cause stands at the
end."""


@dataclass(frozen=True)
class Death:
    """One container that ended with an error, or one pod that was taken away."""

    pod: str
    index: int
    finished_at: str
    failure: Failure

    @property
    def order(self) -> tuple[bool, str, bool, bool, int]:
        """First causes first: consequences last, then by time, then those that ended by themselves (the Job controller
        deletes the others when one has failed), then those that name a rank, then by index."""
        failure = self.failure
        return (
            is_secondary(failure),
            self.finished_at,
            failure.reason == POD_DELETED,
            failure.rank is None,
            self.index,
        )


def first_death(pods: Iterable[dict[str, Any]]) -> Death | None:
    """The death that explains the others, or None when no pod has failed."""
    return min((death for pod in pods for death in _deaths(pod)), key=lambda death: death.order, default=None)


def last_death(pods: Iterable[dict[str, Any]]) -> Death | None:
    """The latest death, where pods follow each other as retries of the same work."""
    return max((death for pod in pods for death in _deaths(pod)), key=lambda death: death.finished_at, default=None)


def termination_message(text: str) -> TerminationMessage | None:
    """The message that the trainer left, or None when the text is not one (a log's tail, the runtime's words) or is of
    a release that cannot be understood (`unreadable` says why)."""
    content = _content(text)
    if content is None or _beyond(content):
        return None
    try:
        return read(TerminationMessage, content).value
    except ValidationError:
        return None


def unreadable(text: str) -> str | None:
    """Why a message of the trainer cannot be understood; None when it can be, and for a text that is none."""
    content = _content(text)
    if content is None:
        return None
    problem = _beyond(content)
    if problem:
        return problem
    try:
        read(TerminationMessage, content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return f"{'; '.join(problem_line(detail) for detail in details[:3])}; {SKEW_REMEDY}"
    return None


def _content(text: str) -> dict[str, Any] | None:
    """The JSON object, when it has at least one field of a termination message."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    known = {field.alias for field in TerminationMessage.model_fields.values()}
    return content if isinstance(content, dict) and known & content.keys() else None


def _beyond(content: dict[str, Any]) -> str | None:
    return version_problem(content, f"this operator, swiftlet {__version__}", SKEW_REMEDY)


def results(pods: Sequence[dict[str, Any]]) -> list[TerminationMessage]:
    """The messages of the containers that ended well, by completion index."""
    found = []
    for pod in sorted(pods, key=completion_index):
        for status in (pod.get("status") or {}).get("containerStatuses") or []:
            terminated = (status.get("state") or {}).get("terminated")
            if terminated and terminated["exitCode"] == 0:
                found.append(termination_message(terminated.get("message") or ""))
    return [_with_figures(message) for message in found if message is not None]


def last_lines(message: TerminationMessage) -> str | None:
    """What a status keeps of a run's own last lines; what a pod writes is bounded by nobody else."""
    return (message.last_lines or "")[-LAST_LINES:] or None


def _with_figures(message: TerminationMessage) -> TerminationMessage:
    """The message with results and comparisons from its table, where it has one."""
    if message.figures is None:
        return message
    try:
        results, comparison = untabled(message.figures)
    except (ValueError, IndexError):
        return message
    return message.model_copy(update={"results": results, "comparison": comparison, "figures": None})


def unreadable_results(pods: Iterable[dict[str, Any]]) -> str | None:
    """Why what a container left that ended well cannot be understood, if that is so."""
    ended = ((status.get("state") or {}).get("terminated") or {} for pod in pods for status in container_statuses(pod))
    said = (unreadable(end.get("message") or "") for end in ended if end.get("exitCode") == 0)
    return next(filter(None, said), None)


def failure_of(terminated: dict[str, Any], container: str, pod: dict[str, Any]) -> Failure:
    """What one `state.terminated` of a pod says. Killed for memory outranks what the process itself could still
    write."""
    where = {"pod": pod["metadata"]["name"], "node": (pod.get("spec") or {}).get("nodeName")}
    message = termination_message(terminated.get("message") or "")
    said = message.failure if message else None
    exit_code = terminated["exitCode"]
    if terminated.get("reason") == "OOMKilled":
        remedy = OOM_REMEDIES.get(container, OOM_REMEDY)
        text = f"container {container} was killed because it used more memory than its limit; {remedy}"
        rank = said.rank if said else None
        return Failure(reason="OOMKilled", message=text, rank=rank, exit_code=exit_code, **where)
    if said:
        return said.model_copy(update={**where, "exit_code": said.exit_code or exit_code})
    if skew := unreadable(terminated.get("message") or ""):
        return Failure(reason="UnreadableMessage", message=skew, exit_code=exit_code, **where)
    text = (terminated.get("message") or "").strip()[-LAST_LINES:] or _wordless(container, exit_code)
    return Failure(reason=terminated.get("reason") or "Error", message=text, exit_code=exit_code, **where)


def _deaths(pod: dict[str, Any]) -> list[Death]:
    name, index, taking = pod["metadata"]["name"], completion_index(pod), taking_of(pod)
    found = []
    for status in container_statuses(pod):
        terminated = (status.get("state") or {}).get("terminated")
        if terminated and terminated["exitCode"] != 0:
            finished = terminated.get("finishedAt") or ""
            failure = failure_of(terminated, status["name"], pod)
            if taking and taking.explains(finished) and _outranks(taking, failure):
                failure = failure.model_copy(update={"reason": taking.reason, "message": taking.message})
                finished = taking.at or finished
            found.append(Death(name, index, finished, failure))
    status = pod.get("status") or {}
    if found or not (status.get("phase") == "Failed" or (taking and taking.reason == POD_DELETED)):
        return found
    is_at_work = any("running" in (one.get("state") or {}) for one in container_statuses(pod))
    if is_at_work and status.get("phase") != "Failed":  # on a lost node nobody tells that containers have ended
        return found  # it is being deleted and still says something
    reason, text = (taking.reason, taking.message) if taking else (status.get("reason"), status.get("message"))
    failure = Failure(
        reason=reason or "PodFailed",
        message=text or "the pod ended without a word",
        pod=name,
        node=(pod.get("spec") or {}).get("nodeName"),
    )
    return [Death(name, index, taking.at if taking else "", failure)]


def _outranks(taking: Taking, failure: Failure) -> bool:
    """Whether that the pod was taken away says more than how its container ended."""
    if taking.reason == EVICTED:
        return True
    # Who was asked to stop and wrote a checkpoint says at which step; bad input and too little memory are no accident.
    return failure.exit_code not in (EXIT_TERMINATED, *NEVER_RETRIED) and failure.reason != "OOMKilled"


def _wordless(container: str, exit_code: int) -> str:
    if exit_code == EXIT_KILLED:
        return (
            f"container {container} was killed (SIGKILL) and left no message: a process outgrew the node's memory, a"
            " probe or the end of its grace period killed it, or somebody did; the pod's events say which"
        )
    return f"container {container} left no message"


def is_secondary(failure: Failure) -> bool:
    """Whether it is only what another pod's death brought about."""
    if failure.exit_code == EXIT_TERMINATED:
        return False
    words = f"{failure.message}\n{failure.traceback or ''}"
    return failure.reason == PEER_FAILED or any(sign in words for sign in SECONDARY_SIGNS)
