"""`prepare`: check the document, the model and the data, then turn the data into tokens."""

import sys

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.messages import EXIT_OK, TerminationMessage

from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput, never_retried, write_termination
from swiftlet_trainer.models.tokenizers_alone import tokenizers_alone
from swiftlet_trainer.outcome import finished
from swiftlet_trainer.progress import Reporter


def run(job_path: str) -> int:
    """Leaves the counts of rows in the termination message; for a run that is finished those that it left.

    Raises InvalidInput with every problem.
    """
    document = load_document(job_path, TrainDocument)
    if done := finished(document):
        write_termination(TerminationMessage(dataset=done.dataset))
        return EXIT_OK
    if not (document.start and document.start.merge_into):
        tokenizers_alone()
    from swiftlet_trainer.artifact.start import start_problems
    from swiftlet_trainer.data.prepare import prepare
    from swiftlet_trainer.models.loading import check_model, check_trainable, load_tokenizer, model_folder
    from swiftlet_trainer.models.merging import merge_start
    from swiftlet_trainer.models.vocabulary import embedding_rows, id_problem
    from swiftlet_trainer.templates.end_token import end_warning

    start, head = document.start, document.task.head
    base = start.merge_into if start and start.merge_into else document.model
    if problems := check_model(base, chat=False) or check_trainable(base, head) or start_problems(document):
        raise InvalidInput(problems)
    if start and start.merge_into:
        Reporter().emit(type="phase", message="merging the adapter into its base")
        merge_start(document, start)
    tokenizer = load_tokenizer(document.model)
    # What gives scores or vectors answers nobody.
    if document.task.learns_tokens and (warning := end_warning(model_folder(document.model), tokenizer)):
        Reporter().emit(type="phase", message=f"warning: {warning}")
    with never_retried():
        prepared = prepare(document, tokenizer)
    if problem := id_problem(prepared.largest_id(), embedding_rows(model_folder(document.model)), tokenizer):
        raise InvalidInput([f"model {document.model.uri}: {problem}"], prepared.counts)
    sys.stderr.write(f"prepared: {prepared.folder}\n")
    write_termination(TerminationMessage(dataset=prepared.counts))
    return EXIT_OK
