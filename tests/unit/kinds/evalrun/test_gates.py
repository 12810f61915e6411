import pytest
from swiftlet.api.v1alpha1.evalrun import Gate, Result
from swiftlet.kinds.evalrun.gates import evaluate_gates, failed_gates


def figures(
    target: str, baseline: str | None = None, suite: str = "generation", metric: str = "contains"
) -> list[Result]:
    found = [Result(suite=suite, metric=metric, value=target, n=10)]
    return found + ([Result(suite=suite, metric=metric, subject="baseline", value=baseline, n=10)] if baseline else [])


@pytest.mark.parametrize(
    ("bound", "target", "baseline", "passed"),
    [
        ({"min": 0.8}, "0.8", None, True),
        ({"min": 0.8}, "0.7999", None, False),
        ({"max": 3}, "3.0", None, True),
        ({"max": 3}, "3.01", None, False),
        ({"minDelta": 0.5}, "0.6", "0.1", True),
        ({"minDelta": 0.2}, "0.3", "0.1", True),
        ({"minDelta": 0.5}, "0.6", "0.2", False),
        ({"maxDelta": 0.1}, "10.1", "10", True),
        ({"maxDelta": 0.1}, "10.2", "10", False),
        ({"maxIncreasePercent": 10}, "11", "10", True),
        ({"maxIncreasePercent": 10}, "11.1", "10", False),
        ({"maxIncreasePercent": 10}, "9", "10", True),
        ({"maxIncreasePercent": 10}, "-9.5", "-10", True),
        ({"maxIncreasePercent": 10}, "0", "0", True),
        ({"maxIncreasePercent": 10}, "0.1", "0", False),
        ({"min": 0.5, "max": 0.7}, "0.8", None, False),
        ({"min": 0.5}, "nan", None, False),
        ({"max": 5}, "inf", None, False),
        ({"min": 5}, "inf", None, True),
        ({"min": 5}, "-inf", None, False),
        ({"max": 5}, "-inf", None, True),
        ({"maxIncreasePercent": 10}, "5", "inf", True),
        ({"maxIncreasePercent": 10}, "inf", "5", False),
        ({"maxIncreasePercent": 10}, "inf", "0", False),
        ({"maxIncreasePercent": 10}, "inf", "inf", False),
        ({"maxIncreasePercent": 10}, "nan", "0", False),
        ({"maxIncreasePercent": 10}, "5", "nan", False),
        ({"maxDelta": 0}, "5", "inf", True),
        ({"maxDelta": 0}, "inf", "5", False),
        ({"maxDelta": 0}, "inf", "inf", False),
        ({"minDelta": 0}, "5", "-inf", True),
        ({"minDelta": 0}, "-inf", "5", False),
        ({"minDelta": 0}, "-inf", "-inf", False),
    ],
)
def test_bounds(bound: dict[str, float], target: str, baseline: str | None, passed: bool) -> None:
    gate = Gate.model_validate({"metric": "contains", **bound})
    (found,) = evaluate_gates([gate], figures(target, baseline))
    assert found.passed is passed


def test_the_message_has_figures_bounds_and_margins() -> None:
    gate = Gate.model_validate({"metric": "contains", "min": 0.8, "minDelta": 0.5})
    (found,) = evaluate_gates([gate], figures("0.7", "0.1"))
    assert found.message == (
        "generation contains 0.7 (baseline 0.1): min 0.8 missed by 0.1, minDelta 0.5 (0.6) met by 0.1"
    )
    assert failed_gates([found]) == found.message
    passed = Gate.model_validate({"metric": "contains", "min": 0.5})
    assert failed_gates(evaluate_gates([passed], figures("0.7"))) == ""


@pytest.mark.parametrize(
    ("bound", "target", "baseline", "words"),
    [
        ({"maxIncreasePercent": 10}, "5", "inf", "contains 5 (baseline inf): maxIncreasePercent 10 (-100) met by 110"),
        ({"maxDelta": 1}, "inf", "inf", "maxDelta 1 missed, since inf and inf have no difference"),
        ({"max": 1}, "nan", None, "contains nan: max 1 missed, since the figure is not a number"),
    ],
)
def test_the_message_says_what_infinities_come_to(
    bound: dict[str, float], target: str, baseline: str | None, words: str
) -> None:
    (found,) = evaluate_gates([Gate.model_validate({"metric": "contains", **bound})], figures(target, baseline))
    assert words in found.message


def test_a_suite_is_told_apart_by_name() -> None:
    results = [*figures("0.1", suite="hard"), *figures("0.9", suite="easy")]
    gates = [Gate.model_validate({"metric": "contains", "suite": name, "min": 0.5}) for name in ("hard", "easy")]
    assert [found.passed for found in evaluate_gates(gates, results)] == [False, True]


def test_missing_figures_fail() -> None:
    lost = Gate.model_validate({"metric": "perplexity", "max": 3})
    delta = Gate.model_validate({"metric": "contains", "minDelta": 0.1})
    found = evaluate_gates([lost, delta], figures("0.9"))
    assert [gate.passed for gate in found] == [False, False]
    assert found[0].message == "perplexity: no suite reported it"
    assert "no baseline" in found[1].message
