"""What is said of the trainers' figures on a GPU."""

from typing import Any

import pytest
from training_gpu import WAYS
from training_gpu_report import SHAPES, goals, needed_flops, rounds, table, warm_speed


def runs(*speeds: float) -> list[dict[str, Any]]:
    others = {"peak_mib": 1000.0, "start_seconds": 5.0, "first_step_seconds": 2.0, "loss": 1.5}
    return [{"warm_tokens_per_second": speed, "tokens_per_second": 1.0, **others} for speed in speeds]


def test_multiplications_are_those_of_the_layers_the_adapters_attention_and_the_head() -> None:
    """Counted by hand for the tiny shape: hidden 64, keys and values 32 wide, 128 in between, two layers."""
    row = {"input_ids": [1] * 10, "labels": [-100] * 4 + [1] * 6}
    frozen = 64 * 64 * 2 + 64 * 32 * 2 + 64 * 128 * 3
    adapters = 16 * ((64 + 64) * 2 + (64 + 32) * 2 + (64 + 128) * 3)
    layers = 2 * (10 * (4 * frozen + 6 * adapters) + 12 * 50 * 64)
    assert needed_flops("tiny", [row]) == layers + 4 * 6 * 64 * 49152
    assert needed_flops("tiny", [row, row]) == 2 * needed_flops("tiny", [row])


def test_the_real_shape_has_the_parameters_of_its_model() -> None:
    """1,235,814,400 of them; what is left here are norms."""
    shape = SHAPES["1b"]
    labelled = {"input_ids": [1], "labels": [-100]}
    per_layer = needed_flops("1b", [labelled]) / shape["num_hidden_layers"]
    adapters = 6 * 16 * ((2048 + 2048) * 2 + (2048 + 512) * 2 + (2048 + 8192) * 3)
    frozen = (per_layer - adapters - 12 * 0.5 * 2048) / 4
    assert frozen * 16 + shape["vocab_size"] * shape["hidden_size"] == pytest.approx(1_235_814_400, rel=1e-4)


def test_the_table_takes_trl_at_its_best_and_round_by_round() -> None:
    found = {"trl-flash": runs(90, 90), "trl-liger": runs(100, 120), "liger": runs(150, 240), "compiled": []}
    lines = table(found, WAYS, 4e9, 1e12).splitlines()
    assert "x TRL, flash, Liger (min, median, max)" in lines[0]
    assert "1.50, 1.75, 2.00" in lines[3]
    assert f"{195 * 4e9 / 1e12:.1%}" in lines[3]
    assert len(lines) == 4


def test_goals_say_what_was_missed() -> None:
    found = {"trl-liger": runs(100, 100), "liger": runs(130, 110)}
    said = goals(found, WAYS, 4e9, 1e12)
    assert "1.20: met" in said and f"{120 * 4e9 / 1e12:.1%}: met" in said
    assert "1.20: met" in goals(found, WAYS, 4e9, None)
    assert goals({"trl-liger": runs(100), "liger": runs(119)}, WAYS, 3e9, 1e12).count("MISSED") == 2
    assert goals({"trl-liger": runs(100)}, WAYS, 4e9, 1e12) == ""


def test_every_round_is_told() -> None:
    found = {"trl-liger": runs(100, 90), "liger": runs(130), "plain": []}
    assert rounds(found, WAYS).splitlines()[1:] == ["  TRL, flash, Liger: 100, 90", "  swiftlet, Liger: 130"]


def test_without_trl_and_on_an_unknown_device_less_is_said() -> None:
    (_, line) = table({"liger": runs(10)}, WAYS, 1.0, None).splitlines()
    assert "?" in line and "," not in line.removeprefix(WAYS["liger"].title)


def test_steps_that_warm_up_do_not_count_where_there_are_others() -> None:
    assert warm_speed({"warm_tokens_per_second": 5.0, "tokens_per_second": 4.0}) == 5.0
    assert warm_speed({"tokens_per_second": 4.0}) == 4.0
