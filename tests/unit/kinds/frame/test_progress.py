from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.kinds.frame.progress import merge, merge_event, reported
from swiftlet.wire.messages import ProgressEvent


def event(**fields: object) -> dict[str, object]:
    return ProgressEvent.model_validate({"time": "2026-01-01T00:00:00Z", **fields}).document()


def test_a_phase_does_not_reset_the_figures() -> None:
    merged = merge([event(step=5, totalSteps=10, loss="1.0"), event(type="phase", message="saving")])
    assert merged is not None
    assert (merged["step"], merged["totalSteps"], merged["loss"], merged["message"]) == (5, 10, "1.0", "saving")


def test_a_figure_ends_the_phase() -> None:
    merged = merge([event(type="phase", message="loading the model"), event(step=1)])
    assert merged is not None and "message" not in merged


def test_the_newest_checkpoint_is_kept() -> None:
    merged = merge([event(type="checkpoint", step=10), event(step=12)])
    assert merged is not None
    assert (merged["step"], merged["checkpointStep"], merged["type"]) == (12, 10, "progress")


def test_rows_and_engine_are_kept() -> None:
    merged = merge(
        [
            event(type="dataset", dataset={"read": 4}),
            event(type="serving", engine="vllm", reason="asked"),
            event(step=1),
        ]
    )
    assert merged is not None
    assert merged["dataset"]["read"] == 4
    assert (merged["engine"], merged["reason"]) == ("vllm", "asked")


def test_nothing_is_changed_in_place() -> None:
    first = {"step": 1}
    merge_event(first, event(step=2))
    assert first == {"step": 1}
    assert merge([]) is None


def test_an_engine_that_has_restarted_does_not_forget_what_was_written() -> None:
    old = Progress(step=7, total_steps=9, loss="0.5", message="training")
    assert reported(old, None) is None
    found = reported(old, {"time": "t", "type": "phase", "message": "writing the artifact", "dataset": {}})
    assert found == Progress(step=7, total_steps=9, loss="0.5", message="writing the artifact")
    assert reported(old, {"time": "t", "type": "progress", "step": 8}) == Progress(step=8, total_steps=9, loss="0.5")
    assert reported(None, {"time": "t", "type": "progress", "step": 1}) == Progress(step=1)


def test_all_of_it_is_not_believed_without_a_step() -> None:
    """transformers' callback says 100 % whenever training ends, also when it was told to stop."""
    over = {"time": "t", "type": "progress", "percent": 100, "etaSeconds": 0}
    counted = {"step": 25, "totalSteps": 100, "percent": 25, "etaSeconds": 70}
    merged = merge_event(counted, over)
    assert {name: merged[name] for name in counted} == counted
    assert merge_event({"step": 7}, over)["percent"] == merge_event(None, over)["percent"] == 99
    assert merge_event(None, {"time": "t", "type": "progress", "percent": 40, "etaSeconds": 9})["etaSeconds"] == 9
    said = {"time": "t", "type": "progress", "percent": 100, "step": 100, "totalSteps": 100}
    assert merge_event(counted, said)["percent"] == 100


def test_an_event_of_a_later_release_says_nothing() -> None:
    known = {"step": 7, "time": "t", "type": "progress"}
    assert merge_event(known, {"time": "u", "type": "topology", "step": 9}) == known
