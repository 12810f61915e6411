"""The models to score: each base is loaded once, adapters are switched on top of it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from swiftlet.api.v1alpha1.evalrun import Measured
from swiftlet.wire.documents import EvaluateDocument, ResolvedModel, ResolvedSubject, ResolvedSuite

from swiftlet_trainer.evaluate.run import Reading
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.hardware import compute_dtype
from swiftlet_trainer.models.adapters import AdapterSource, with_adapters
from swiftlet_trainer.models.embedder import AS_DEFAULT, makes_vectors, read_embedder
from swiftlet_trainer.models.reranker import PairPrompt, read_pair_prompt
from swiftlet_trainer.models.scores import ScoreHead, read_head
from swiftlet_trainer.paths import in_pod

SubjectName = Literal["target", "baseline"]
NAMES: tuple[SubjectName, ...] = ("target", "baseline")

MIXED = "target and baseline are adapters of one model, and one of them alone makes vectors of texts"


@dataclass(frozen=True)
class Subject:
    """One thing to score: a model, and an adapter's folder or none. head: by what it scores texts, if it does."""

    name: SubjectName
    model: ResolvedModel
    adapter: Path | None
    head: ScoreHead | None = None


def subjects_of(document: EvaluateDocument) -> list[Subject]:
    """The target and, when the document has one, the baseline; checked before any weight is loaded.

    Raises InvalidInput with every problem: a model folder that is missing, an adapter that is damaged or was made for
    another base (both digests are named).
    """
    asked = [(name, one) for name, one in zip(NAMES, (document.target, document.baseline), strict=True) if one]
    problems = [f"{name}: {problem}" for name, subject in asked for problem in _problems(subject)]
    if problems:
        raise InvalidInput(problems)
    found = [_subject(name, one) for name, one in asked]
    if unsuited := [problem for one in found for problem in _suite_problems(one, document.suites)]:
        raise InvalidInput(unsuited)
    return found


def _subject(name: SubjectName, one: ResolvedSubject) -> Subject:
    from swiftlet_trainer.models.loading import model_folder

    adapter = in_pod(one.adapter_path) if one.adapter_path else None
    return Subject(name, one.model, adapter, read_head(model_folder(one.model), adapter))


def _suite_problems(subject: Subject, suites: Sequence[ResolvedSuite]) -> Iterator[str]:
    """What is asked of a model that it has no head for."""
    from swiftlet_trainer.models.loading import model_folder

    if makes_vectors(subject.adapter or model_folder(subject.model)):
        what = f"{subject.name}: it makes vectors of texts and says nothing, which suite"
        remedy = "ask it with a suite of retrieval"
        yield from (f"{what} {suite.name} is about; {remedy}" for suite in suites if not suite.retrieval)
        return
    head = subject.head
    for suite in suites:
        if suite.classification and (head is None or head.problem_type == "regression"):
            what = "it is no classifier" if head is None else f"its scores are figures ({', '.join(head.labels[:5])})"
            yield f"{subject.name}: {what}, and suite {suite.name} asks for classes; evaluate what task seqCls learnt"
        elif suite.regression and (head is None or head.problem_type != "regression"):
            what = "it gives texts no figures" if head is None else "its scores are of classes"
            yield f"{subject.name}: {what}, and suite {suite.name} asks for figures; evaluate what task seqCls learnt"
        elif head is not None and not (suite.preference or suite.classification or suite.regression or suite.retrieval):
            yield (
                f"{subject.name}: it scores texts and says nothing, which suite {suite.name} is about; ask it with a"
                " suite of preference, classification, regression or retrieval"
            )
        elif head is not None and not (suite.classification or suite.regression) and len(head.labels) > 1:
            yield (
                f"{subject.name}: it has {len(head.labels)} scores of a text, and suite {suite.name} compares"
                " one; evaluate a reward model or a reranker"
            )


def _problems(subject: ResolvedSubject) -> list[str]:
    """What is wrong with the files of a subject."""
    from swiftlet_trainer.artifact.compatibility import check_adapter
    from swiftlet_trainer.artifact.identity import identity_problems
    from swiftlet_trainer.models.loading import check_model, model_folder
    from swiftlet_trainer.models.trainable import causal_problems

    of_model = None if subject.adapter_path else subject.digest
    problems = check_model(subject.model.model_copy(update={"digest": of_model or subject.model.digest}), chat=False)
    folder = None if problems else model_folder(subject.model)
    if folder and not read_head(folder) and not makes_vectors(folder):
        problems = causal_problems(folder, subject.model.uri)
    if problems or subject.adapter_path is None:
        return problems
    adapter = in_pod(subject.adapter_path)
    return [*identity_problems(adapter, subject.digest), *check_adapter(adapter, model_folder(subject.model))]


def measured(subject: Subject) -> Measured:
    """Which bytes are scored, so that a gate can be held to them."""
    from swiftlet_trainer.artifact.identity import identity
    from swiftlet_trainer.models.loading import model_folder

    adapter = identity(subject.adapter) if subject.adapter else None
    return Measured(model_digest=identity(model_folder(subject.model)), adapter_digest=adapter)


def reading_of(subject: Subject, target: Subject) -> Reading:
    """How the subject compares texts: as its adapter's or model's folder says, else as the target's do, so that a base
    is compared in its own adapter's way; what has a layer of scores by that. Raises InvalidInput for a way that is not
    computed here."""
    from swiftlet_trainer.models.loading import model_folder

    if subject.head:
        return read_pair_prompt(subject.adapter or model_folder(subject.model)) or PairPrompt()
    for one in (subject, target):
        for folder in (one.adapter, model_folder(one.model)):
            if folder and (vectors := read_embedder(folder)):
                return vectors
            if folder and (pairs := read_pair_prompt(folder)) and pairs.block.generative:
                return pairs
    return AS_DEFAULT


@contextmanager
def _active(model: Any, adapter: str | None) -> Iterator[Any]:
    """The model with `adapter` on, or with none."""
    if adapter is not None:
        model.set_adapter(adapter)
    switched_off = hasattr(model, "disable_adapter") and adapter is None
    off: AbstractContextManager[Any] = model.disable_adapter() if switched_off else nullcontext()
    with off:
        yield model


def loaded(subjects: Sequence[Subject], use_gpu: bool) -> Iterator[tuple[Any, list[tuple[Subject, Any]]]]:
    """For each base and head: (tokenizer, [(subject, context manager that gives its model)]), one base in memory at a
    time."""
    groups: dict[tuple[str, ScoreHead | None], list[Subject]] = {}
    for subject in subjects:
        groups.setdefault((subject.model.model_dump_json(exclude={"uri"}), subject.head), []).append(subject)
    for group in groups.values():
        tokenizer, model = _load(group[0], use_gpu)
        adapters = [AdapterSource(one.name, one.adapter, one.name) for one in group if one.adapter]
        # Adapters of vectors were trained without a head, and name their layers from the backbone on.
        backbones = [makes_vectors(one.folder) for one in adapters]
        if any(backbones) and not all(backbones):
            raise InvalidInput([f"{MIXED}; evaluate them in runs of their own"])
        model = with_adapters(model.base_model if any(backbones) else model, adapters, group[0].model.uri).eval()
        yield tokenizer, [(one, _active(model, one.name if one.adapter else None)) for one in group]
        del model


def _load(subject: Subject, use_gpu: bool) -> tuple[Any, Any]:
    from swiftlet_trainer.models.causal import load_backbone, load_causal, load_scored
    from swiftlet_trainer.models.loading import load_tokenizer, model_folder

    tokenizer, folder, dtype = load_tokenizer(subject.model), model_folder(subject.model), compute_dtype(use_gpu)
    head = subject.head
    if head:
        model = load_scored(folder, dtype, head.labels, head.problem_type)
    else:
        model = (load_backbone if makes_vectors(folder) else load_causal)(folder, dtype)
    return tokenizer, model.to("cuda" if use_gpu else "cpu").eval()
