"""Ratios and goals of the operator beside others."""

from collections.abc import Sequence

from control_plane_peers_report import MEASURES, ratios, report
from control_plane_sides import KUBERAY, OURS, SIDES, TRAINER, Side
from control_plane_turns import Turn


def turn(side: Side, seconds: float, controllers: float) -> Turn:
    writes = {"jobs": 1.0, "services": 1.0}
    return Turn(side.name, 100, seconds, [0.5, 1.0], writes, controllers, 10.0, 2.0, 90.0, 0.1)


def rounds(ours: Sequence[float], theirs: Sequence[float]) -> list[Turn]:
    """Turns by the seconds that ours and Trainer took."""
    pairs = zip(ours, theirs, strict=True)
    return [made for us, them in pairs for made in (turn(OURS, us, 5), turn(TRAINER, them, 20), turn(KUBERAY, 4, 8))]


def test_ratios_are_of_the_same_round() -> None:
    turns = rounds([1, 2, 4], [2, 2, 2])
    assert ratios(turns, TRAINER, MEASURES[0].figure) == [2, 1, 0.5]
    assert ratios(turns, TRAINER, MEASURES[1].figure) == [0.5] * 3


def test_goals_are_of_the_median_and_of_kubeflow_trainer_alone() -> None:
    text = report(SIDES, rounds([1, 2, 1], [2, 2, 1.2]), {}, 0, 0.3)
    assert "swiftlet / trainer, resources a second: 1.20 (rounds 2.00, 1.00, 1.20); goal >= 1.5: MISSED" in text
    assert "API server: 0.50 (rounds 0.50, 0.50, 0.50); goal <= 0.6: met" in text
    assert text.count("goal") == 2


def test_every_side_has_a_line_for_each_round_and_its_medians() -> None:
    text = report(SIDES, rounds([1, 2, 4], [2, 2, 2]), {"swiftlet": 120.4}, 5000, 0.3)
    lines = [line.split() for line in text.splitlines()]
    assert ["swiftlet", "median", "50.0", "1.00", "1.00", "2.00", "5.0", "10.0", "2.0", "90", "0.10"] in lines
    for side in SIDES:
        assert [line[1] for line in lines if line and line[0] == side.name and "/" not in line][:4][-1] == "median"
    assert "resident MiB of the controllers with 5000 resources: swiftlet 120" in text
