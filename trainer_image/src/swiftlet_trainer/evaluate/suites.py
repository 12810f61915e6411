"""Running one suite on one model: from questions to one record per row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from swiftlet.api.v1alpha1.suites import SUITE_METRICS
from swiftlet.wire.documents import ResolvedSuite

from swiftlet_trainer.evaluate.agents.suite import tool_calling
from swiftlet_trainer.evaluate.class_figures import class_samples
from swiftlet_trainer.evaluate.language_suites import choice, generation, perplexity
from swiftlet_trainer.evaluate.preference_suite import preference
from swiftlet_trainer.evaluate.questions import Question
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.regression_figures import figure_samples
from swiftlet_trainer.evaluate.run import Done, Reading, Run
from swiftlet_trainer.evaluate.statistics import Sample, mean_sample, perplexity_sample
from swiftlet_trainer.evaluate.text_suites import classification, regression, retrieval
from swiftlet_trainer.models.embedder import AS_DEFAULT

SUITES: Mapping[str, Callable[[Run], list[Record]]] = {
    "generation": generation,
    "perplexity": perplexity,
    "preference": preference,
    "multiple_choice": choice,
    "retrieval": retrieval,
    "classification": classification,
    "regression": regression,
    "tool_calling": tool_calling,
}
"""By the block that a suite has."""


def run_suite(
    suite: ResolvedSuite,
    questions: Sequence[Question],
    subject: str,
    model: Any,
    tokenizer: Any,
    batch_size: int,
    done: Done,
    reading: Reading = AS_DEFAULT,
) -> list[Record]:
    """One record per question, in order; `done` gets the number of rows of each finished batch.

    reading: how the subject compares texts. Raises InvalidInput with the place of every row that the model's
    tokenizer or template cannot take, and Diverged where the model's logits or vectors are not finite.
    """
    chosen = next(run for block, run in SUITES.items() if getattr(suite, block))
    return chosen(Run(suite, questions, subject, model, tokenizer, batch_size, done, reading))


def samples(suite: ResolvedSuite, records: Sequence[Record]) -> dict[str, Sample]:
    """The metrics of a suite from the records of one subject, by name."""
    if suite.perplexity:
        return {
            "perplexity": perplexity_sample(
                [0.0 if r.nll is None else r.nll for r in records], [r.tokens for r in records]
            )
        }
    if suite.classification:
        return dict(class_samples(records))
    if suite.regression:
        return dict(figure_samples(records))
    names = (
        suite.generation.metrics
        if suite.generation
        else next(metrics for block, metrics in SUITE_METRICS.items() if getattr(suite, block))
    )
    # A figure of agents applies to some rows alone, to which says the row and not the model.
    figures = {name: [one.metrics[name] for one in records if name in one.metrics] for name in names}
    return {name: mean_sample(found) for name, found in figures.items() if found}
