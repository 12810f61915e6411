import json
from typing import Any

import pytest
from swiftlet.kinds.observing.failures import failure_of, first_death, last_death, results


def pod(name: str, index: int = 0, phase: str = "Failed", **status: Any) -> dict[str, Any]:
    annotations = {"batch.kubernetes.io/job-completion-index": str(index)}
    return {"kind": "Pod", "metadata": {"name": name, "annotations": annotations}, "status": {"phase": phase, **status}}


def dead(code: int, message: Any, at: str = "2026-01-01T00:00:00Z", reason: str = "Error") -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps({"failure": message})
    state = {"terminated": {"exitCode": code, "message": text, "finishedAt": at, "reason": reason}}
    return {"containerStatuses": [{"name": "train", "restartCount": 0, "state": state}]}


def test_the_failing_rank_and_not_its_peers() -> None:
    cause = {"reason": "ValueError", "message": "bad row", "rank": 3}
    peer = {"reason": "PeerFailed", "message": "another process of the run went away", "rank": 0}
    pods = [
        pod("a-0", 0, **dead(1, peer, "2026-01-01T00:00:00Z")),
        pod("a-1", 1, **dead(1, cause, "2026-01-01T00:00:05Z")),
    ]
    death = first_death(pods)
    assert death is not None
    assert (death.failure.reason, death.failure.rank, death.failure.pod) == ("ValueError", 3, "a-1")


@pytest.mark.parametrize("words", ["RuntimeError: Connection closed by peer [10.0.0.3]:2345", "DistNetworkError: x"])
def test_raw_words_of_a_peer_are_no_first_cause(words: str) -> None:
    pods = [pod("a-0", 0, **dead(1, words)), pod("a-1", 1, **dead(137, "", "2026-01-01T00:01:00Z", "OOMKilled"))]
    death = first_death(pods)
    assert death is not None and death.failure.reason == "OOMKilled"
    assert "memory limit" in death.failure.message and death.failure.exit_code == 137


def test_the_earliest_of_two_causes_and_the_latest_of_two_retries() -> None:
    early, late = ({"reason": name, "message": "", "rank": 0} for name in ("Early", "Late"))
    pods = [
        pod("a-0", **dead(1, late, "2026-01-01T00:00:09Z")),
        pod("a-1", **dead(1, early, "2026-01-01T00:00:01Z")),
    ]
    first, last = first_death(pods), last_death(pods)
    assert first is not None and first.failure.reason == "Early"
    assert last is not None and last.failure.reason == "Late"


def test_an_init_container_can_be_the_cause() -> None:
    status = {"initContainerStatuses": dead(2, {"reason": "InvalidInput", "message": "x"})["containerStatuses"]}
    death = first_death([pod("a-0", **status)])
    assert death is not None and death.failure.exit_code == 2


def test_an_evicted_pod_without_containers() -> None:
    death = first_death([pod("a-0", reason="Evicted", message="The node was low on resource: memory.")])
    assert death is not None
    assert (death.failure.reason, death.failure.message) == (
        "Disrupted",
        "Evicted: The node was low on resource: memory.",
    )


def test_running_and_finished_pods_have_not_failed() -> None:
    running = {"containerStatuses": [{"name": "train", "restartCount": 0, "state": {"running": {}}}]}
    assert first_death([pod("a-0", phase="Running", **running), pod("a-1", phase="Succeeded", **dead(0, ""))]) is None


def test_a_log_tail_is_cut_at_its_head() -> None:
    failure = failure_of({"exitCode": 1, "message": "x" * 3000 + "the cause", "reason": "Error"}, "train", pod("a-0"))
    assert failure.message.endswith("the cause") and len(failure.message) == 1000
    assert failure_of({"exitCode": 1}, "train", pod("a-0")).message == "container train left no message"


def test_results_come_in_order_of_the_index() -> None:
    def done(digest: str) -> dict[str, Any]:
        message = json.dumps({"artifact": {"uri": "pvc://a/b", "digest": digest}})
        state = {"terminated": {"exitCode": 0, "message": message}}
        return {"containerStatuses": [{"name": "train", "state": state}]}

    found = results([pod("a-1", 1, "Succeeded", **done("second")), pod("a-0", 0, "Succeeded", **done("first"))])
    assert [message.artifact.digest for message in found if message.artifact] == ["first", "second"]


def test_the_node_is_told() -> None:
    placed = {**pod("a-0", **dead(1, {"reason": "ValueError", "message": "x"})), "spec": {"nodeName": "node-1"}}
    evicted = {**pod("a-0", reason="Evicted", message="low on memory"), "spec": {"nodeName": "node-2"}}
    found = [first_death([one]) for one in (placed, evicted)]
    assert [death.failure.node for death in found if death] == ["node-1", "node-2"]


def test_killed_for_memory_keeps_the_rank_that_the_trainer_named() -> None:
    said = {"reason": "OOMKilled", "message": "Killed (SIGKILL)", "rank": 3, "exitCode": 1}
    death = first_death([{**pod("a-1", 1, **dead(137, said, reason="OOMKilled")), "spec": {"nodeName": "n"}}])
    assert death is not None
    failure = death.failure
    assert (failure.reason, failure.rank, failure.node, failure.exit_code) == ("OOMKilled", 3, "n", 137)
    assert "raise the memory limit" in failure.message


def test_a_kill_without_a_word_is_told_with_what_may_have_done_it() -> None:
    death = first_death([pod("a-0", **dead(137, ""))])
    assert death is not None and death.failure.reason == "Error"
    assert "SIGKILL" in death.failure.message and "pod's events" in death.failure.message


def test_the_first_of_several_ranks_by_the_time_that_its_container_ended() -> None:
    causes = [{"reason": f"Rank{rank}", "message": "", "rank": rank} for rank in range(3)]
    ends = ["2026-01-01T00:00:09Z", "2026-01-01T00:00:02Z", "2026-01-01T00:00:02Z"]
    pods = [pod(f"a-{n}", n, **dead(1, cause, at)) for n, (cause, at) in enumerate(zip(causes, ends, strict=True))]
    death = first_death(reversed(pods))
    assert death is not None and (death.failure.reason, death.pod) == ("Rank1", "a-1")
