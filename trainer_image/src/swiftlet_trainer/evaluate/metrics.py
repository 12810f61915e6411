"""What one generated answer is worth: each metric maps (answer, references) to a number from 0 to 1."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType, SimpleNamespace
from typing import Any

from swiftlet_trainer.evaluate.words import words


def normalised(text: str) -> str:
    """Case-folded and composed (NFC), with every run of white space as one blank and none at the ends.

    Source: Unicode 3.13, canonical caseless matching.
    """
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
    return " ".join(folded.split())


def exact_match(answer: str, references: Sequence[str]) -> float:
    """1 when the answer equals any reference after `normalised`."""
    return float(normalised(answer) in {normalised(reference) for reference in references})


def contains(answer: str, references: Sequence[str]) -> float:
    """1 when any reference occurs in the answer after `normalised`."""
    text = normalised(answer)
    return float(any(normalised(reference) in text for reference in references))


def rouge_l(answer: str, references: Sequence[str]) -> float:
    """F-measure of the longest common subsequence of words, the best over the references.

    Against a reference without a word, such as one of emoji, symbols count as words. Source: Lin 2004, "ROUGE: A
    Package for Automatic Evaluation of Summaries", section 3; computed by rouge-score without stemming, on words of any
    script.
    """
    return max(
        float(_rouge_scorer(not words(reference)).score(reference, answer)["rougeL"].fmeasure)
        for reference in references
    )


GENERATION_METRICS: Mapping[str, Callable[[str, Sequence[str]], float]] = MappingProxyType(
    {"exact_match": exact_match, "contains": contains, "rouge_l": rouge_l}
)


@cache
def _rouge_scorer(symbols: bool) -> Any:
    # Imported here: rouge-score brings nltk, half a second that only this metric should cost.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=SimpleNamespace(tokenize=lambda text: words(text, symbols)))
