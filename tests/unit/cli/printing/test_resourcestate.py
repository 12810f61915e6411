"""A resource in a few words."""

from typing import Any

from swiftlet.cli.printing.resourcestate import state_of


def job(status: str, reason: str, progress: dict[str, Any] | None = None) -> dict[str, Any]:
    condition = {"type": "Succeeded", "status": status, "reason": reason, "message": f"said {reason}"}
    return {
        "kind": "FineTuneJob",
        "metadata": {"name": "bird", "generation": 1},
        "status": {"observedGeneration": 1, "conditions": [condition], **({"progress": progress} if progress else {})},
    }


def test_steps_and_figures() -> None:
    progress = {"step": 3, "totalSteps": 12, "percent": 25, "loss": "2.3456789", "tokensPerSecond": "412.4"}
    state = state_of(job("Unknown", "Training", {**progress, "etaSeconds": 75}))
    assert state.line == "step 3/12 (25%)  loss 2.346  412 tokens/s  ETA 1m15s"
    state = state_of(job("Unknown", "Training", {**progress, "meanTokenAccuracy": "0.4567"}))
    assert state.line == "step 3/12 (25%)  loss 2.346  token accuracy 46%  412 tokens/s"
    state = state_of(job("Unknown", "Training", {**progress, "channelLosses": {"chat": "2.5", "code": "1.23456"}}))
    assert state.line == "step 3/12 (25%)  loss 2.346  loss of chat 2.5, code 1.235  412 tokens/s"
    assert state.end is None


def test_a_phase_is_told_instead_of_old_figures() -> None:
    state = state_of(job("Unknown", "Training", {"step": 12, "totalSteps": 12, "message": "writing the artifact"}))
    assert state.line == "writing the artifact"


def test_evaluations_count_in_percent() -> None:
    run = {**job("Unknown", "Evaluating", {"percent": 40, "etaSeconds": 9}), "kind": "EvalRun"}
    assert state_of(run).line == "40%  ETA 9.0s"


def test_the_end_is_told_by_the_condition() -> None:
    state = state_of(job("False", "Diverged", {"step": 3, "totalSteps": 12}))
    assert (state.end, state.line) == ("failed", "said Diverged")


def test_a_server_says_what_it_is_doing() -> None:
    served = {
        "kind": "ModelDeployment",
        "metadata": {"name": "bird", "generation": 1},
        "status": {"observedGeneration": 1, "conditions": [], "progress": "loading weights"},
    }
    assert state_of(served).line == "loading weights"


def test_what_nobody_has_looked_at_yet() -> None:
    state = state_of({"kind": "EvalRun", "metadata": {"name": "bird", "generation": 1}})
    assert (state.word, state.end) == ("Pending", None)


def test_a_message_of_many_lines_is_one_line_of_progress() -> None:
    condition = {"type": "Succeeded", "status": "Unknown", "reason": "Retrying", "message": "row 1 is wrong\nrow 2"}
    item = {"kind": "FineTuneJob", "metadata": {"name": "a", "generation": 1}, "status": {"conditions": [condition]}}
    assert state_of(item).line == "row 1 is wrong …"
