"""What ends restarts by the same rules, whatever its kind: who took a pod away, what counts, and what lets it go on."""

import copy
import json
from dataclasses import dataclass
from typing import Any

import pytest

BEFORE_DEATH = "2026-01-01T11:59:00Z"
LOW = "The node was low on resource: ephemeral-storage. "
OWN = LOW + "Container was using 90Gi, request is 1Gi, has larger consumption of ephemeral-storage. "
DISRUPTED_JOB = ("PodFailurePolicy", "Pod default/x has condition DisruptionTarget matching FailJob rule at index 1")


@dataclass
class Bird:
    """The run called bird of one kind, in a world that can start it."""

    world: Any
    kind: str
    container: str
    document: dict[str, Any]

    @property
    def spec(self) -> dict[str, Any]:
        return self.world.objects[self.kind, "default", "bird"]["spec"]  # type: ignore[no-any-return]

    @property
    def status(self) -> dict[str, Any]:
        return self.world.status(self.kind)  # type: ignore[no-any-return]

    def name(self, number: int) -> str:
        if self.kind == "FineTuneJob":
            return f"bird-train-{number}"
        return f"bird-eval-{number}" if number else "bird-eval"

    def jobs(self) -> list[str]:
        return sorted(name for kind, _, name in self.world.objects if kind == "Job")

    def job(self, number: int) -> dict[str, Any]:
        return self.world.objects["Job", "default", self.name(number)]  # type: ignore[no-any-return]

    def start(self, **spec: Any) -> None:
        self.world.add(self.document, **spec)
        self.look()

    def look(self, seconds: float = 0) -> Any:
        self.world.pass_time(seconds)
        return self.world.reconcile(self.kind)

    def runs(self, number: int, seconds: float = 0) -> None:
        self.world.job_runs(self.name(number), container=self.container)
        self.look()
        self.world.pass_time(seconds)

    def dies(self, number: int, exit_code: int, message: Any = "", **options: Any) -> dict[str, Any]:
        self.world.pod_dies(self.name(number), exit_code, message, container=self.container, **options)
        key = next(key for key in self.world.objects if key[0] == "Pod" and key[2].startswith(self.name(number)))
        return self.world.objects[key]  # type: ignore[no-any-return]

    def fails(self, number: int, *why: str) -> None:
        self.world.job_fails(self.name(number), *why)

    def is_taken_away(self, number: int, after: float) -> None:
        self.runs(number, after)
        self.dies(number, 137, conditions=[{"type": "DisruptionTarget", "status": "True"}])
        self.fails(number, *DISRUPTED_JOB)
        self.look()

    def without_pods(self) -> None:
        for key in [key for key in self.world.objects if key[0] == "Pod"]:
            del self.world.objects[key]

    def condition(self, type_: str) -> tuple[str, str, str]:
        return self.world.condition(self.kind, type_)  # type: ignore[no-any-return]


@pytest.fixture(params=["FineTuneJob", "EvalRun"])
def bird(request: Any, world: Any, documents: Any) -> Bird:
    if request.param == "EvalRun":
        world.trained()
    container = {"FineTuneJob": "train", "EvalRun": "evaluate"}[request.param]
    return Bird(world, request.param, container, documents[request.param])


def _evicted(bird: Bird) -> str:
    bird.dies(0, 137, conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}])
    bird.fails(0, *DISRUPTED_JOB)
    return "Disrupted"


def _drained(bird: Bird) -> str:
    said = {"failure": {"reason": "Terminated", "message": "SIGTERM", "exitCode": 143}}
    bird.dies(0, 143, said, conditions=[{"type": "DisruptionTarget", "status": "True"}])
    bird.fails(0, *DISRUPTED_JOB)
    return "Terminated"


def _deleted(bird: Bird) -> str:
    pod = bird.dies(0, 137)
    pod["metadata"] |= {"deletionTimestamp": BEFORE_DEATH, "deletionGracePeriodSeconds": 0}
    bird.fails(0)
    return "PodDeleted"


def _deleted_while_pending(bird: Bird) -> str:
    pod = bird.dies(0, 1)
    pod["metadata"]["deletionTimestamp"] = BEFORE_DEATH
    pod["status"] = {"phase": "Failed"}
    bird.fails(0)
    return "PodDeleted"


def _gone(bird: Bird) -> str:
    bird.without_pods()
    bird.fails(0)
    return "PodDeleted"


def _gone_with_its_words(bird: Bird) -> str:
    bird.dies(0, 143, {"failure": {"reason": "Terminated", "message": "SIGTERM", "exitCode": 143}})
    bird.look()
    bird.without_pods()
    bird.fails(0)
    return "Terminated"


def _only_the_job_says_so(bird: Bird) -> str:
    bird.without_pods()
    bird.fails(0, *DISRUPTED_JOB)
    return "PodFailurePolicy"


def _victim_of_node_pressure(bird: Bird) -> str:
    bird.dies(0, 137)["status"] |= {"reason": "Evicted", "message": LOW}
    bird.fails(0)
    return "Disrupted"


def _node_shut_down(bird: Bird) -> str:
    bird.dies(0, 137)["status"] |= {"reason": "Terminated", "message": "Pod was terminated in response to shutdown"}
    bird.fails(0)
    return "Disrupted"


TAKEN = [
    *(_evicted, _drained, _deleted, _deleted_while_pending, _gone, _gone_with_its_words, _only_the_job_says_so),
    *(_victim_of_node_pressure, _node_shut_down),
]


@pytest.mark.parametrize("happens", TAKEN)
def test_a_pod_that_was_taken_away_is_not_the_users_failure(bird: Bird, assert_fixpoint: Any, happens: Any) -> None:
    bird.start(backoffLimit=0)
    bird.runs(0)
    bird.without_pods()
    reason = happens(bird)
    outcome = bird.look()
    assert bird.condition("Running")[:2] == ("False", "BackingOff")
    assert f": {reason}: " in bird.condition("Running")[2]
    assert [(event.type, event.reason) for event in outcome.events] == [("Warning", "Restarting")]
    assert bird.status["failure"]["reason"] == reason and outcome.requeue_after == 5
    assert_fixpoint(bird.world, bird.kind)
    bird.look(5)
    assert bird.status["restarts"] == {"user": 0, "infrastructure": 1, "infrastructureRecent": 1}
    assert bird.jobs() == sorted([bird.name(0), bird.name(1)])
    assert bird.condition("Succeeded")[0] == "Unknown"


def _error(bird: Bird) -> str:
    bird.dies(0, 1, {"failure": {"reason": "OSError", "message": "flaky"}})
    return "OSError"


def _out_of_memory(bird: Bird) -> str:
    bird.dies(0, 137, reason="OOMKilled")
    return "OOMKilled"


def _evicted_for_its_own_use(bird: Bird) -> str:
    pod = bird.dies(0, 137, conditions=[{"type": "DisruptionTarget", "status": "True"}])
    pod["status"] |= {"reason": "Evicted", "message": OWN}
    return "Evicted"


@pytest.mark.parametrize("happens", [_error, _out_of_memory, _evicted_for_its_own_use])
def test_what_the_run_did_itself_counts_against_its_backoff_limit(bird: Bird, happens: Any) -> None:
    bird.start(backoffLimit=0)
    bird.runs(0)
    bird.without_pods()
    reason = happens(bird)
    bird.fails(0, *(DISRUPTED_JOB if reason == "Evicted" else ()))
    bird.look()
    status, ending, message = bird.condition("Succeeded")
    assert (status, ending) == ("False", "BackoffLimitExceeded") and message.startswith(f"{reason}: ")
    assert message.endswith("restarted 0 times, raise spec.backoffLimit to try again")
    bird.world.pass_time(60)
    assert bird.look().desired == []
    bird.spec["backoffLimit"] = 1
    bird.look()
    assert bird.status["restarts"] == {"user": 1, "infrastructure": 0}
    assert bird.jobs()[-1] == bird.name(1)


@pytest.mark.parametrize(("exit_code", "reason"), [(2, "InvalidInput"), (3, "Diverged")])
def test_what_no_restart_mends_ends_it_though_the_pod_was_disrupted(bird: Bird, exit_code: int, reason: str) -> None:
    bird.start()
    bird.dies(0, exit_code, {"failure": {"reason": reason, "message": "row 7", "exitCode": exit_code}})
    bird.fails(0, "PodFailurePolicy")
    bird.look()
    assert bird.condition("Succeeded")[:2] == ("False", reason) and bird.jobs() == [bird.name(0)]


def test_pods_that_are_taken_away_again_and_again_end_it_and_it_goes_on_when_it_may(bird: Bird) -> None:
    bird.start(infrastructureRestartLimit=2)
    for number in range(3):
        assert bird.condition("Succeeded")[0] == "Unknown"
        bird.is_taken_away(number, after=30)
        bird.look(300)
    status, reason, message = bird.condition("Succeeded")
    assert (status, reason) == ("False", "InfrastructureLimitExceeded")
    assert "raise spec.infrastructureRestartLimit to go on" in message
    # A new leader knows no more than what is stored; the remedy lets the run go on.
    bird.spec["infrastructureRestartLimit"] = 3
    bird.look()
    assert bird.jobs()[-1] == bird.name(3)
    assert bird.status["restarts"] == {"user": 0, "infrastructure": 3, "infrastructureRecent": 3}


def test_without_a_limit_there_is_one(bird: Bird) -> None:
    bird.start()
    for number in range(11):
        bird.is_taken_away(number, after=30)
        bird.look(300)
    assert bird.condition("Succeeded")[:2] == ("False", "InfrastructureLimitExceeded")


def test_restarts_that_running_has_made_up_for_end_nothing(bird: Bird) -> None:
    bird.start(infrastructureRestartLimit=1)
    for number in range(6):
        bird.is_taken_away(number, after=700)
        bird.look(300)
    assert bird.status["restarts"] == {"user": 0, "infrastructure": 6, "infrastructureRecent": 1}
    assert bird.condition("Succeeded")[0] == "Unknown"


def test_only_the_newest_attempts_are_kept(bird: Bird) -> None:
    bird.start(backoffLimit=9)
    for number in range(4):
        bird.dies(number, 1, {"failure": {"reason": "RuntimeError", "message": "boom"}})
        bird.fails(number)
        bird.look(300)
    bird.look()
    assert bird.jobs() == [bird.name(number) for number in (2, 3, 4)]
    assert bird.status["restarts"]["user"] == 4


def test_what_was_counted_outlives_jobs_that_somebody_deletes(bird: Bird) -> None:
    bird.start(activeDeadlineSeconds=100)
    bird.is_taken_away(0, after=30)
    bird.look(5)
    bird.runs(1, 10)
    for name in bird.jobs():
        del bird.world.objects["Job", "default", name]
    bird.without_pods()
    bird.look()
    assert bird.jobs() == [bird.name(1)]
    assert bird.job(1)["spec"]["activeDeadlineSeconds"] == 60
    assert json.loads(bird.job(1)["metadata"]["annotations"]["swiftlet.dev/history"])["infrastructure"] == 1


def test_the_deadline_counts_over_suspensions_and_restarts(bird: Bird) -> None:
    bird.start(activeDeadlineSeconds=100)
    bird.runs(0, 70)
    bird.spec["suspend"] = True
    bird.look()
    bird.without_pods()
    held = {"type": "Suspended", "status": "True", "lastTransitionTime": bird.world.now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    bird.job(0)["status"].update(active=0, ready=0, terminating=0, conditions=[held])
    bird.look()
    bird.spec["suspend"] = False
    assert [patch.fields["spec"] for patch in bird.look(500).patches] == [{"suspend": False}]
    assert bird.status["activeSeconds"] == 70 and "activeSince" not in bird.status
    bird.runs(0, 20)
    assert bird.job(0)["spec"]["activeDeadlineSeconds"] == 30
    bird.dies(0, 1, "boom")
    bird.fails(0)
    bird.look()
    bird.look(10)
    assert bird.job(1)["spec"]["activeDeadlineSeconds"] == 10
    assert bird.status["activeSeconds"] == 90


def test_a_raised_deadline_lets_it_go_on(bird: Bird) -> None:
    bird.start(activeDeadlineSeconds=100)
    bird.runs(0, 100)
    bird.fails(0, "DeadlineExceeded", "Job was active longer than specified deadline")
    bird.look()
    assert bird.condition("Succeeded")[:2] == ("False", "DeadlineExceeded")
    assert "raise spec.activeDeadlineSeconds" in bird.condition("Succeeded")[2]
    bird.spec["activeDeadlineSeconds"] = 160
    bird.look(300)
    assert bird.job(1)["spec"]["activeDeadlineSeconds"] == 60


def test_what_a_suspended_attempt_leaves_is_no_failure(bird: Bird) -> None:
    bird.start()
    bird.runs(0)
    bird.spec["suspend"] = True
    bird.look()
    bird.dies(0, 143, {"failure": {"reason": "Terminated", "message": "SIGTERM", "exitCode": 143}})
    before = copy.deepcopy(bird.job(0))
    assert bird.look().patches == [] and bird.job(0) == before
    assert "failure" not in bird.status
