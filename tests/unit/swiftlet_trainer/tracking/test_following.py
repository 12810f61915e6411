"""A tracker gets every step once, whatever becomes of it or of the run in between."""

from typing import Any

import swiftlet_trainer.tracking.following as following
from swiftlet_trainer.tracking.following import AGAIN, FIRST_PAUSE, LACKS, LONGEST_PAUSE, PACE, follow
from swiftlet_trainer.tracking.tracked_run import Ending


def steps(tracker: Any) -> list[int]:
    return [point.step for point in tracker.points]


def test_what_is_new_is_told_as_it_comes_and_half_a_line_waits(tracked: Any, recording: Any) -> None:
    tracker = recording()
    follower = tracked.follower(tracker)
    assert follower.turn() == PACE and steps(tracker) == []
    tracked.write(1, 2, end="")
    follower.turn()
    assert steps(tracker) == [1]
    tracked.write(1, 2, 3)
    follower.turn()
    follower.end(Ending.FINISHED)
    assert steps(tracker) == [1, 2, 3]
    assert (tracker.opened, tracker.endings) == (1, [Ending.FINISHED])
    assert tracked.told == [("Reporting", "shown as team/bird")]


def test_steps_that_another_attempt_takes_again_are_not_told_again(tracked: Any, recording: Any) -> None:
    tracker = recording()
    follower = tracked.follower(tracker)
    tracked.write(1, 2, 3)
    follower.turn()
    tracked.write(1, 2)
    follower.turn()
    tracked.write(1, 2, 3, 4)
    follower.turn()
    later = recording()
    tracked.write(1, 2, 3, 4, 5)
    tracked.follower(later).turn()
    assert (steps(tracker), steps(later)) == ([1, 2, 3, 4], [5])


def test_a_tracker_out_of_reach_is_told_once_and_gets_all_when_it_is_back(tracked: Any, recording: Any) -> None:
    tracker = recording(failure=ConnectionError("no\nroute"))
    follower = tracked.follower(tracker)
    tracked.write(1, 2)
    pauses = [follower.turn() for _ in range(9)]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE] and pauses[-1] == LONGEST_PAUSE
    tracker.failure = None
    assert follower.turn() == PACE
    tracker.failure = ConnectionError("again")
    tracked.write(1, 2, 3)
    assert follower.turn() == FIRST_PAUSE
    tracker.failure = None
    follower.turn()
    assert steps(tracker) == [1, 2, 3]
    assert tracked.told[0] == ("TrackerFailed", "ConnectionError: no route; the run goes on, and it is tried again")
    assert [reason for reason, _ in tracked.told] == ["TrackerFailed", "Reporting"] * 2


def test_long_histories_go_in_parts(tracked: Any, recording: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(following, "MOST_POINTS", 2)
    tracker = recording()
    tracked.write(*range(1, 8))
    tracked.follower(tracker).turn()
    assert steps(tracker) == [1, 2, 3, 4, 5, 6, 7]


def test_the_end_takes_the_rest_along_and_closes_nothing_that_is_out_of_reach(tracked: Any, recording: Any) -> None:
    tracker, waits = recording(), list[float]()
    follower = tracked.follower(tracker)

    def ended(seconds: float) -> Ending | None:
        waits.append(seconds)
        tracked.write(*range(1, len(waits) + 1))
        return Ending.STOPPED if len(waits) == 3 else None

    follow(follower, ended)
    assert (steps(tracker), tracker.endings, waits) == ([1, 2, 3], [Ending.STOPPED], [PACE] * 3)
    gone = recording(failure=OSError("gone"))
    tracked.follower(gone).end(Ending.FAILED)
    assert gone.endings == []


def test_after_the_end_nothing_is_said_to_be_tried_again(tracked: Any, recording: Any) -> None:
    tracker = recording(failure=OSError("gone"))
    follower = tracked.follower(tracker)
    tracked.write(1)
    follower.turn()
    follower.end(Ending.FINISHED)
    assert [message for _, message in tracked.told] == [f"OSError: gone; {AGAIN}", f"OSError: gone; {LACKS}"]


def test_a_client_that_is_not_installed_is_told_with_the_remedy(tracked: Any, recording: Any) -> None:
    tracked.follower(recording(failure=ModuleNotFoundError(name="wandb"))).turn()
    assert tracked.told[0][1].startswith("wandb is not installed here; the images of `make images` have it")
