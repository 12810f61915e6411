"""What one generated answer is worth: each metric maps (answer, references) to a number from 0 to 1."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any


def normalised(text: str) -> str:
    """Case-folded, with every run of white space as one blank and none at the ends."""
    return " ".join(text.casefold().split())


def exact_match(answer: str, references: Sequence[str]) -> float:
    """1 when the answer equals any reference after `normalised`."""
    return float(normalised(answer) in {normalised(reference) for reference in references})


def contains(answer: str, references: Sequence[str]) -> float:
    """1 when any reference occurs in the answer after `normalised`."""
    text = normalised(answer)
    return float(any(normalised(reference) in text for reference in references))


def rouge_l(answer: str, references: Sequence[str]) -> float:
    """F-measure of the longest common subsequence of words, the best over the references.

    Source: Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", section 3; computed by rouge-score
    without stemming.
    """
    scorer = _rouge_scorer()
    return max(float(scorer.score(reference, answer)["rougeL"].fmeasure) for reference in references)


GENERATION_METRICS: Mapping[str, Callable[[str, Sequence[str]], float]] = MappingProxyType(
    {"exact_match": exact_match, "contains": contains, "rouge_l": rouge_l}
)


@cache
def _rouge_scorer() -> Any:
    # Imported here: rouge-score brings nltk, half a second that only this metric should cost.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=False)
