"""What a model makes of texts, with an adapter or without, from its files: what may be served beside what."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from swiftlet.api.v1alpha1.tasks.block import HeadName

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.embedder import makes_vectors, read_embedder
from swiftlet_trainer.models.scores import read_head

MADE: Mapping[HeadName, str] = {"tokens": "answers", "score": "gives texts scores", "pool": "makes vectors of texts"}
"""In words."""
TASKS: Mapping[HeadName, str] = {"tokens": "generate", "score": "classify", "pool": "embed"}
"""What a server does with texts, in vLLM's words."""


def head_name(model: Path, adapter: Path | None = None) -> HeadName:
    """By which head the model in a folder is used."""
    if makes_vectors(adapter or model):
        return "pool"
    return "score" if read_head(model, adapter) else "tokens"


def served_head(model: Path, adapters: Sequence[Path]) -> HeadName:
    """That of a server of a model and adapters of it that `beside_problems` has nothing against."""
    return head_name(model, adapters[0] if adapters else None)


def beside_problems(model: Path, model_names: Sequence[str], adapters: Mapping[str, Path]) -> list[str]:
    """Why one server cannot have the model, under its own names, and adapters by served name."""
    heads = {name: head_name(model, folder) for name, folder in adapters.items()}
    first, found = next(iter(heads.items()), ("", head_name(model)))
    problems = [
        f"adapter {name}: it {MADE[head]}, and adapter {first} {MADE[found]}; serve them in deployments of their own"
        for name, head in heads.items()
        if head != found
    ]
    own = head_name(model)
    if own not in (found, "tokens"):
        problems.append(f"adapter {first}: it {MADE[found]}, and its model {MADE[own]}; use the base it was made from")
    elif found == "score" and own == "tokens" and model_names:
        problems.append(
            f"{', '.join(model_names)}: the model gives texts no scores without an adapter, so it cannot be served by"
            " a name of its own; name the FineTuneJobs of adapters by fineTuneJobRef"
        )
    return problems or [*_score_problems(model, adapters), *_vector_problems([model, *adapters.values()])]


def _score_problems(model: Path, adapters: Mapping[str, Path]) -> list[str]:
    """Scores of adapters are made by layers of one shape."""
    heads = {name: read_head(model, folder) for name, folder in adapters.items()}
    first, *others = heads or [""]
    return [
        f"adapter {name}: its scores are other ones than those of adapter {first}; serve them in deployments of their"
        " own"
        for name in others
        if heads[name] != heads[first]
    ]


def _vector_problems(folders: Sequence[Path]) -> list[str]:
    problems = []
    for folder in folders:
        try:
            read_embedder(folder)
        except InvalidInput as error:
            problems += error.problems
    return problems
