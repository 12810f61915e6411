"""`preview`: the first rows as the tokens that would be learnt, with what was found about all that were read."""

import sys
from pathlib import Path

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.messages import EXIT_INVALID, EXIT_OK
from swiftlet.wire.preview import PREVIEW_FILE, PREVIEW_PAGE, Preview

from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import never_retried
from swiftlet_trainer.models.tokenizers_alone import tokenizers_alone
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.verbs.validate import with_model


def run(job_path: str, shown: int, most: int | None = None) -> int:
    """Leaves preview.json and preview.html in the run's folder, and says where. shown, most: rows of each data set that
    are shown, and read (None: all). Rows with problems are told in them.

    Returns EXIT_INVALID where a check failed or a row has a problem. Raises InvalidInput with every problem of the
    model.
    """
    tokenizers_alone()
    document = with_model(_of_rows(load_document(job_path, TrainDocument)))
    from swiftlet_trainer.models.loading import load_tokenizer
    from swiftlet_trainer.preview.making import Previewing

    tokenizer = load_tokenizer(document.model)
    with never_retried():
        found = Previewing(document, tokenizer).preview(shown, most)
    sys.stdout.write(f"preview: {_written(found, in_pod(document.output_dir))}\n")
    return EXIT_OK if found.is_good else EXIT_INVALID


def _of_rows(document: TrainDocument) -> TrainDocument:
    """With what tokens depend on: the model's tokenizer. An adapter that is trained further, or the very weights that
    were promised, may be made by a run that has not ended."""
    merged = document.start and document.start.merge_into
    model = (merged or document.model).model_copy(update={"digest": None})
    return document.model_copy(update={"model": model, "start": None})


def _written(found: Preview, folder: Path) -> Path:
    from swiftlet_trainer.report.preview import preview_page

    folder.mkdir(parents=True, exist_ok=True)
    (folder / PREVIEW_FILE).write_text(found.model_dump_json(by_alias=True, exclude_none=True), encoding="utf-8")
    (folder / PREVIEW_PAGE).write_text(preview_page(found), encoding="utf-8")
    return folder / PREVIEW_PAGE
