"""The verb evaluate: score the target and the baseline on the same rows, and leave results and a report."""

import time
from pathlib import Path

from swiftlet.api.v1alpha1.evalrun import Report
from swiftlet.wire.documents import EvaluateDocument
from swiftlet.wire.messages import EXIT_OK, TerminationMessage

from swiftlet_trainer.accompanying import AT_WORK
from swiftlet_trainer.document import load_document
from swiftlet_trainer.evaluate.questions import Question, read_questions
from swiftlet_trainer.evaluate.results import Records, comparisons_of, results_of, write_results, write_rows
from swiftlet_trainer.evaluate.run import Reading
from swiftlet_trainer.evaluate.subjects import Subject, measured, reading_of, subjects_of
from swiftlet_trainer.failures import InvalidInput, never_retried, write_termination
from swiftlet_trainer.gpu import require_gpu
from swiftlet_trainer.locking import hold
from swiftlet_trainer.models.embedder import AS_DEFAULT
from swiftlet_trainer.outcome import finished, write_outcome
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.tracking.evaluated import write_figures
from swiftlet_trainer.tracking.processes import trackers
from swiftlet_trainer.tracking.tracked_run import Ending


def run(job_path: str) -> int:
    """Evaluate the document at `job_path`; returns the exit code. Raises InvalidInput with everything that is wrong
    with the document's data and models before any weight is loaded, and NoGPU."""
    with hold(in_pod(AT_WORK)):
        return _run(job_path)


def _run(job_path: str) -> int:
    document = load_document(job_path, EvaluateDocument)
    if done := finished(document):
        write_termination(done)
        return EXIT_OK
    require_gpu(document.use_gpu, "images.trainer")
    with trackers(document, job_path) as tracked:
        message = _evaluated(document)
        tracked.ending = Ending.FINISHED
    write_termination(message)
    return EXIT_OK


def _evaluated(document: EvaluateDocument) -> TerminationMessage:
    """Score, and leave results and report. Raises InvalidInput."""
    reporter = Reporter()
    reporter.emit(type="phase", message="checking data and models")
    with never_retried():
        subjects, questions = _checked(document)
        readings = _readings(document, subjects)
    scored = measured(subjects[0])
    records = _score(document, subjects, questions, readings, reporter)
    results = results_of(document.suites, records)
    comparison = comparisons_of(document.suites, records, document.seed)
    reporter.emit(type="phase", message="writing the report")
    folder = in_pod(document.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder, records)
    write_results(folder, results, comparison)
    if document.report_to:
        write_figures(folder, results)
    report = Report(uri=document.report_uri, digest=_report(folder, document))
    message = TerminationMessage(
        results=results, comparison=comparison, report=report, measured=scored, last_lines=reporter.last_lines
    )
    write_outcome(document, message)
    return message


def _checked(document: EvaluateDocument) -> tuple[list[Subject], dict[str, list[Question]]]:
    """Models and rows, or every problem of both at once."""
    problems: list[str] = []
    questions: dict[str, list[Question]] = {}
    subjects: list[Subject] = []
    try:
        questions = read_questions(document.suites)
    except InvalidInput as error:
        problems += error.problems
    try:
        subjects = subjects_of(document)
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return subjects, questions


def _readings(document: EvaluateDocument, subjects: list[Subject]) -> dict[str, Reading]:
    """How each subject compares texts, by its name, where a suite asks for it. Raises InvalidInput."""
    if not any(suite.retrieval for suite in document.suites):
        return {}
    return {subject.name: reading_of(subject, subjects[0]) for subject in subjects}


def _score(
    document: EvaluateDocument,
    subjects: list[Subject],
    questions: dict[str, list[Question]],
    readings: dict[str, Reading],
    reporter: Reporter,
) -> Records:
    """The records of every suite and subject."""
    reporter.emit(type="phase", message="loading the model")
    # Imported here: the checks above answer in under a second, without torch.
    from swiftlet_trainer.evaluate.subjects import loaded
    from swiftlet_trainer.evaluate.suites import run_suite

    total = len(subjects) * sum(len(rows) for rows in questions.values())
    counter = Counter(total, reporter)
    records: Records = {}
    for tokenizer, group in loaded(subjects, document.use_gpu):
        for subject, active in group:
            with active as model:
                for suite in document.suites:
                    counter.about = f"{suite.name}: {subject.name}"
                    rows = questions[suite.name]
                    records[suite.name, subject.name] = run_suite(
                        suite,
                        rows,
                        subject.name,
                        model,
                        tokenizer,
                        document.batch_size,
                        counter.done,
                        readings.get(subject.name, AS_DEFAULT),
                    )
    return records


class Counter:
    """Turns finished rows into progress events: rows of all subjects together, and the time that is left."""

    def __init__(self, total: int, reporter: Reporter) -> None:
        self.about = ""
        self._total, self._reporter = total, reporter
        self._rows, self._start = 0, time.monotonic()

    def done(self, rows: int) -> None:
        """Report `rows` more rows of what `about` names."""
        self._rows += rows
        elapsed = time.monotonic() - self._start
        left = elapsed / self._rows * (self._total - self._rows) if self._rows else 0.0
        self._reporter.emit(
            step=self._rows,
            total_steps=self._total,
            percent=100 * self._rows // self._total,
            eta_seconds=round(left),
            message=self.about,
        )


def _report(folder: Path, document: EvaluateDocument) -> str:
    """Write the page; its digest."""
    from swiftlet_trainer.report.evaluation import write_evaluation_report

    return write_evaluation_report(folder, document)
