"""What is said of methods beside their peers."""

from typing import Any

import pytest
from training_methods_compared import METHODS, WAYS
from training_methods_report import Compared, furthest, goals, section


def runs(*speeds: float, peak: float = 1000.0, losses: tuple[float, ...] = (0.7, 0.6)) -> list[dict[str, Any]]:
    others = {"start_seconds": 5.0, "first_step_seconds": 2.0, "loss": losses[-1], "losses": [*losses]}
    return [{"tokens_per_second": speed, "peak_mib": peak, **others} for speed in speeds]


SPEED = {"trl": runs(100, 80, 90), "swiftlet": runs(200, 240, 270, peak=900.0)}


def test_a_section_says_what_is_counted_and_the_spread_of_ratios() -> None:
    text = section("kto", Compared(SPEED, rows=24, tokens=1234), WAYS)
    assert text.startswith("KTO (kto): 24 single answers, 8 a step, 1234 useful tokens\n  both also pass answers")
    assert "x TRL, bf16 (min, median, max)" in text
    (ours,) = [line for line in text.splitlines() if "2.00, 3.00, 3.00" in line]
    assert ours.startswith("swiftlet") and "240.0" in ours
    assert "  TRL, bf16                       0.7000, 0.6000" in text


@pytest.mark.parametrize(("second", "said"), [(0.59, "1.67% apart: the same is computed"), (0.5, "NOT THE SAME")])
def test_losses_of_the_same_rows_must_agree(second: float, said: str) -> None:
    same = {"trl": runs(1), "swiftlet": runs(1, losses=(0.7, second))}
    assert said in section("dpo", Compared(SPEED, same), WAYS)


def test_what_learns_something_else_beside_must_agree_before_it_has() -> None:
    same = {"trl": runs(1), "swiftlet": runs(1, losses=(0.7, 0.3))}
    assert "0.00% apart at the first step: the same is computed" in section("orpo", Compared(SPEED, same), WAYS)


def test_losses_of_other_numbers_of_steps_do_not_agree() -> None:
    assert furthest([0.5, 0.4], [0.5]) == furthest([], []) == 1.0
    assert furthest([0.5, 0.4], [0.5, 0.2]) == 0.5


def test_goals_are_met_missed_or_unmeasured() -> None:
    text = goals({"dpo": Compared(SPEED), "rm": Compared({"trl": runs(100), "swiftlet": []})})
    assert "dpo >= 2.5 x trl" in text and "3.00 beside trl: met" in text
    assert "dpo: peak memory <= trl's" in text and "900 beside 1000 MiB: met" in text
    assert text.count("unmeasured") == 2
    slow = {**SPEED, "swiftlet": runs(100, peak=1100.0)}
    assert goals({"orpo": Compared(slow)}).count("MISSED") == 2


def test_what_is_measured_of_nothing_is_said_to_be_nothing() -> None:
    assert "nothing measured" in section("embedding", Compared(), WAYS)
    assert "memory" not in goals({"embedding": Compared()}), "its goal is speed alone"


def test_methods_are_beside_a_peer_that_there_is() -> None:
    assert {method.peer for method in METHODS.values()} < WAYS.keys()
