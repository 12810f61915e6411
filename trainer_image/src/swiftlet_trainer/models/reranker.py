"""How a query and a document become what a reranker reads: said by its task, read from its folder."""

from dataclasses import dataclass, field
from pathlib import Path

from swiftlet.api.v1alpha1.finetunejob import Template
from swiftlet.api.v1alpha1.tasks import Task
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask

from swiftlet_trainer.artifact.manifest import is_artifact, read_manifest
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.templates.segments import Segments, UnencodableError


@dataclass(frozen=True)
class PairPrompt:
    """system: said before a question to a language model."""

    block: RerankerTask = field(default_factory=RerankerTask)
    system: str | None = None

    def text(self, query: str, document: str) -> str:
        """Both, one behind the other."""
        return f"{self.block.query_prompt}{query}{self.block.document_prompt}{document}"

    def turns(self, query: str, document: str) -> list[Turn]:
        """The same as what a language model is asked."""
        said = [Turn("system", self.system)] if self.system else []
        return [*said, Turn("user", self.text(query, document))]


def read_pair_prompt(folder: Path) -> PairPrompt | None:
    """Of the reranker in a folder, as it was learnt; None where no reranker of ours lies there."""
    if not is_artifact(folder):
        return None
    parameters = read_manifest(folder).parameters
    block = Task.model_validate(parameters.get("task", {})).reranker
    return PairPrompt(block, Template.model_validate(parameters.get("template", {})).system) if block else None


def verdict_tokens(block: RerankerTask, segments: Segments) -> tuple[int, int]:
    """Ids of what a model says to a document that is relevant, and to one that is not. Raises InvalidInput for words
    that are no single token."""
    found, problems = list[int](), list[str]()
    for name, word in (("positiveToken", block.positive_token), ("negativeToken", block.negative_token)):
        try:
            ids = segments.text(word)
        except UnencodableError as error:
            problems.append(f"task.reranker.{name}: {error}; use another word")
            continue
        if len(ids) != 1:
            what = f"{word!r} is {len(ids)} tokens of this tokenizer, and a score is made of one"
            problems.append(f"task.reranker.{name}: {what}; use a word that is one")
        found += ids
    if problems:
        raise InvalidInput(problems)
    positive, negative = found
    return positive, negative
