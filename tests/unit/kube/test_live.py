import asyncio
from typing import Any

import pytest
from swiftlet.kube.client import ApiError
from swiftlet.kube.live import LiveLookups

WORKLOAD = ("Workload", "default", "job-bird")


class Answers:
    """The part of a client that lookups use: one answer after the other."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    async def get(self, kind: str, namespace: str | None, name: str) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return answer


def workload(reason: str) -> dict[str, Any]:
    return {"kind": "Workload", "metadata": {"name": "job-bird"}, "status": {"reason": reason}}


def look(answers: Answers, times: int) -> list[Any]:
    async def all_looks() -> list[Any]:
        lookups = LiveLookups(answers)  # type: ignore[arg-type]
        found = [await lookups.look(WORKLOAD) for _ in range(times)]
        assert lookups.fresh(WORKLOAD) is None
        return found

    return asyncio.run(all_looks())


def test_what_others_change_unseen_is_never_remembered() -> None:
    found = look(Answers(workload("Pending"), workload("Preempted")), 2)
    assert [item["status"]["reason"] for item in found] == ["Pending", "Preempted"]


@pytest.mark.parametrize("code", [403, 404, 500, 503])
def test_what_others_do_not_show_is_not_there(code: int) -> None:
    """No right, no such kind, or a conversion webhook that does not answer."""
    assert look(Answers(ApiError(code, "no", "no")), 1) == [None]


def test_nobody_answers() -> None:
    with pytest.raises(ApiError):
        look(Answers(ApiError(0, "Unreachable", "no")), 1)
