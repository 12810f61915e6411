"""What trackers are told of a step and of a document."""

from swiftlet_trainer.tracking.tracked_run import flattened, point_of

LINE = {
    "time": "2026-11-29T14:00:01.500Z",
    "type": "progress",
    "step": 3,
    "totalSteps": 9,
    "percent": 33,
    "loss": "0.5",
    "evalLoss": "0.25",
    "learningRate": "1e-05",
    "channelLosses": {"chat": "0.125"},
    "evalRewardsMargins": "2",
    "etaSeconds": 4,
    "message": "five",
}


def test_figures_have_the_names_of_transformers_and_nothing_else_is_one() -> None:
    point = point_of(LINE)
    assert (point.step, point.time) == (3, 1795960801.5)
    assert point.figures == {
        "train/loss": 0.5,
        "eval/loss": 0.25,
        "train/learning_rate": 1e-05,
        "train/channel_losses/chat": 0.125,
        "eval/rewards_margins": 2.0,
    }


def test_settings_are_leaves_by_their_paths() -> None:
    assert flattened({"a": {"b": 1, "c": [1, 2]}, "d": True}) == {"a.b": "1", "a.c": "[1, 2]", "d": "True"}
