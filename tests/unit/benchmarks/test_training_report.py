"""What is said of the trainers' figures."""

from typing import Any

import pytest
from training_report import Found, best, memory_table, ratios, table, targets
from training_ways import WAYS, ways_here


def runs(*speeds: float) -> list[dict[str, Any]]:
    others = {"peak_mib": 1000.0, "start_seconds": 5.0, "first_step_seconds": 2.0, "loss": 1.5}
    return [{"tokens_per_second": speed, **others} for speed in speeds]


LORA = {"trl": runs(100, 80, 90), "trl-packed": runs(70, 70, 70), "padded": runs(200, 240, 270), "packed": []}


def test_ratios_are_of_one_round_each() -> None:
    assert ratios(LORA, "padded", "trl") == [2.0, 3.0, 3.0]


def test_a_peer_is_taken_at_its_best() -> None:
    assert best(LORA, "trl") == "trl"
    assert best({**LORA, "trl-packed": runs(95, 95, 95)}, "trl") == "trl-packed"
    assert best(LORA, "packed") is None


def test_the_table_has_medians_and_spread() -> None:
    lines = table(LORA, WAYS).splitlines()
    assert "x TRL, bf16 (min, median, max)" in lines[0]
    assert lines[3].split("  ")[0] == "swiftlet, rows of like length"
    assert "240" in lines[3] and "2.00, 3.00, 3.00" in lines[3]
    assert len(lines) == 4, "a way without a run has no line"


@pytest.mark.parametrize(("padded", "said"), [((300, 240, 270), "3.00 beside trl: met"), ((200, 80, 90), "MISSED")])
def test_goals_are_said_to_be_met_or_missed(padded: tuple[float, ...], said: str) -> None:
    lines = targets(Found(lora={**LORA, "padded": runs(*padded)})).splitlines()
    assert lines[1].startswith("  >= 3 x TRL, its rows padded") and said in lines[1]
    assert lines[2].startswith("  >= 3 x TRL at its fastest") and said in lines[2]
    assert lines[3].endswith("unmeasured"), "ms-swift has not run"


@pytest.mark.parametrize(("seconds", "said"), [(5.0, "5.0 beside 5.0 s: met"), (5.2, "5.2 beside 5.0 s: MISSED")])
def test_the_first_step_must_come_as_early_as_trls(seconds: float, said: str) -> None:
    ours = [{**run, "start_seconds": seconds} for run in LORA["padded"]]
    text = targets(Found(lora={**LORA, "padded": ours}))
    assert f"first step <= TRL's                {said}" in text
    assert "TRL's                unmeasured" in targets(Found())


def test_memory_grows_at_most_linearly_or_is_said_to_grow_faster() -> None:
    theirs = {512: 2000.0, 1024: 3000.0, 2048: 5000.0, 4096: 9000.0}
    linear = {512: 1500.0, 1024: 2000.0, 2048: 3000.0, 4096: 5000.0}
    square = {512: 1500.0, 1024: 2000.0, 2048: 4000.0, 4096: 12000.0}
    assert "linear" in targets(Found(memory={"trl": theirs, "padded": linear})).splitlines()[-1]
    assert targets(Found(memory={"trl": theirs, "padded": linear})).endswith("KiB per token 1000, 1000, 1000: met")
    text = targets(Found(memory={"trl": theirs, "padded": square}))
    assert text.endswith("MISSED")
    assert "12000 beside 9000 MiB: MISSED" in text
    assert memory_table({"trl": {512: 2000.0}, "padded": linear}, WAYS).splitlines()[1].split()[-3:] == ["-"] * 3


def test_without_bf16_everything_runs_in_fp32_and_it_is_said() -> None:
    ways, notes = ways_here(bf16=False)
    assert {way.precision for way in ways.values()} == {"fp32"}
    assert "trl-fp32" not in ways and ways["trl"].title == "TRL, fp32"
    assert notes == ["this CPU does not multiply bf16: everything ran in fp32, and the goals are set for bf16"]
    assert ways_here(bf16=True) == (WAYS, [])
