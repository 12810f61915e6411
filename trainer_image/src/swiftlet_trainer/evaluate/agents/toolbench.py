"""ToolBench's static figures of one step, as SWIFT's paper reports them.

Each applies to some steps alone and is averaged over these: act_em and avg_f1 where a tool should be called, rouge_l
where an answer should be given, plan_em and hallu_rate everywhere. Sources: SWIFT (arXiv:2408.05517), section 5;
EvalScope, ToolBench-Static; ToolBench (arXiv:2307.16789). They know one call a step; of several, names count in any
order.
"""

from collections.abc import Collection, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

from swiftlet_trainer.evaluate.agents.steps import Call, Step


def step_figures(predicted: Step, expected: Step, tools: Collection[str]) -> dict[str, float]:
    """The figures that apply to a step. tools: names of those that may be called.

    plan_em: whether the step calls, answers or gives up as it should. act_em: whether the names of what is called are
    right. avg_f1: see `argument_f1`. hallu_rate: 1 when a tool is called that is not there. rouge_l: F-measure of the
    answer's longest common subsequence with the expected one, of words between blanks.
    """
    found = {
        "plan_em": float(predicted.plan == expected.plan),
        "hallu_rate": float(any(call.name not in tools for call in predicted.calls)),
    }
    if expected.plan == "call":
        found["act_em"] = float(predicted.names == expected.names)
        if all(isinstance(call.arguments, Mapping) for call in expected.calls):
            found["avg_f1"] = argument_f1(predicted, expected)
    elif expected.plan == "finish":
        # An agent that gives no answer said "none", with which an answer may share a word.
        said = "none" if predicted.answer is None else predicted.answer
        found["rouge_l"] = _rouge_scorer().score(expected.answer or "", said)["rougeL"].fmeasure
    return found


def argument_f1(predicted: Step, expected: Step) -> float:
    """Harmonic mean of precision and recall of a call's arguments; 0 where another tool is called.

    An argument with the right value is a hit, one with another value half of one. Where none is expected, 1 without any
    and else 0. Of several calls it is the mean; calls of the same tool are compared in order.
    """
    if predicted.names != expected.names:
        return 0.0
    pairs = zip(*(sorted(step.calls, key=_name) for step in (predicted, expected)), strict=True)
    scores = [_f1(given.arguments, wanted.arguments) for given, wanted in pairs]
    return sum(scores) / len(scores) if scores else 1.0


def _f1(given: Any, wanted: Mapping[str, Any]) -> float:
    if not isinstance(given, Mapping):
        return 0.0
    if not wanted:
        return float(not given)
    hits = sum(1.0 if given[name] == value else 0.5 for name, value in wanted.items() if name in given)
    return 2 * hits / (len(wanted) + len(given))


def _name(call: Call) -> str:
    return call.name


@cache
def _rouge_scorer() -> Any:
    # Imported here: rouge-score brings nltk, half a second that only this figure should cost.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=SimpleNamespace(tokenize=str.split))
