"""Gates: demands on figures, and by how much each is met or missed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from swiftlet.api.v1alpha1.evalrun import Gate, GateResult, Result

Measure = Callable[[float, float], float]


@dataclass(frozen=True)
class Bound:
    """One kind of bound. `measure` takes target and baseline; `upper`: the measure may not be greater."""

    field: str
    label: str
    measure: Measure
    upper: bool
    needs_baseline: bool


def _increase_percent(target: float, baseline: float) -> float:
    """NaN where it is none: between equal infinities, or from or to NaN."""
    if math.isnan(target - baseline) or target == baseline:
        return target - baseline
    if baseline == 0:
        return math.copysign(math.inf, target)
    # A finite figure beside an infinite one is all of it less, or all of it more.
    return math.copysign(100, target - baseline) if math.isinf(baseline) else (target - baseline) / abs(baseline) * 100


BOUNDS = (
    Bound("min", "min", lambda target, _: target, upper=False, needs_baseline=False),
    Bound("max", "max", lambda target, _: target, upper=True, needs_baseline=False),
    Bound("min_delta", "minDelta", lambda target, baseline: target - baseline, upper=False, needs_baseline=True),
    Bound("max_delta", "maxDelta", lambda target, baseline: target - baseline, upper=True, needs_baseline=True),
    Bound("max_increase_percent", "maxIncreasePercent", _increase_percent, upper=True, needs_baseline=True),
)

NEGLIGIBLE = 1e-9
"""Relative: a figure this close to its bound holds, since differences of decimal figures are not exact in binary."""


def evaluate_gates(gates: Sequence[Gate], results: Sequence[Result]) -> list[GateResult]:
    """What became of each gate.

    Infinite figures compare as infinities: a finite perplexity is below an infinite baseline by any amount. A gate
    fails where its figure is missing, is not a number, or has no difference to the baseline (inf - inf).
    """
    return [_evaluate(gate, results) for gate in gates]


def has_figures(gate: Gate, results: Sequence[Result]) -> bool:
    """Whether the figures that the gate is about are there."""
    needs_baseline = any(bound.needs_baseline and getattr(gate, bound.field) is not None for bound in BOUNDS)
    subjects = ("target", "baseline") if needs_baseline else ("target",)
    return all(_figure(gate, results, subject) for subject in subjects)


def failed_gates(gates: Sequence[GateResult]) -> str:
    """The failed gates with their figures, in one line; empty when all passed."""
    return "; ".join(gate.message for gate in gates if not gate.passed)


def _evaluate(gate: Gate, results: Sequence[Result]) -> GateResult:
    target, baseline = (_figure(gate, results, subject) for subject in ("target", "baseline"))
    suite = gate.suite or (target.suite if target else "")
    name = f"{suite} {gate.metric}" if suite and suite != gate.metric else gate.metric
    if target is None:
        message = f"{name}: no suite reported it"
        return GateResult(metric=gate.metric, suite=suite, passed=False, message=message)
    checks = [_check(bound, gate, target, baseline) for bound in BOUNDS if getattr(gate, bound.field) is not None]
    compared = f" (baseline {_shown(float(baseline.value))})" if baseline else ""
    words = ", ".join(words for _, words in checks)
    return GateResult(
        metric=gate.metric,
        suite=suite,
        passed=all(passed for passed, _ in checks),
        message=f"{name} {_shown(float(target.value))}{compared}: {words}",
    )


def _figure(gate: Gate, results: Sequence[Result], subject: str) -> Result | None:
    return next(
        (
            result
            for result in results
            if result.metric == gate.metric and result.subject == subject and gate.suite in (None, result.suite)
        ),
        None,
    )


def _check(bound: Bound, gate: Gate, target: Result, baseline: Result | None) -> tuple[bool, str]:
    limit = float(getattr(gate, bound.field))
    if bound.needs_baseline and baseline is None:
        return False, f"{bound.label} {_shown(limit)} has no baseline to compare with"
    measured = bound.measure(float(target.value), float(baseline.value) if baseline else 0.0)
    if math.isnan(measured):
        return False, f"{bound.label} {_shown(limit)} missed, since {_without_measure(bound, target, baseline)}"
    margin = limit - measured if bound.upper else measured - limit
    passed = margin >= -NEGLIGIBLE * max(1.0, abs(limit))
    measured_words = "" if bound.field in ("min", "max") else f" ({_shown(measured)})"
    verb = "met by" if passed else "missed by"
    return passed, f"{bound.label} {_shown(limit)}{measured_words} {verb} {_shown(abs(margin))}"


def _without_measure(bound: Bound, target: Result, baseline: Result | None) -> str:
    if baseline is None or not bound.needs_baseline:
        return "the figure is not a number"
    return f"{_shown(float(target.value))} and {_shown(float(baseline.value))} have no difference"


def _shown(number: float) -> str:
    return f"{number:.4g}"
