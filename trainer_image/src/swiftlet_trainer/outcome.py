"""What a finished run leaves on its volume: its termination message, for the attempt that finds its work done.

A pod may be gone before anybody has read its message (its node was taken away while the control plane was down). The
control plane then starts one more attempt, which reports what it finds here in seconds. The file is written last, in
one piece, and says of which document it is the outcome, so that nothing unfinished and nothing else is taken for it.
"""

import os

from pydantic import Field, ValidationError
from swiftlet.api.base import ApiModel
from swiftlet.wire.documents import EvaluateDocument, TrainDocument
from swiftlet.wire.messages import TerminationMessage

from swiftlet_trainer.artifact.identity import identity_problems
from swiftlet_trainer.artifact.manifest import canonical_digest, is_artifact
from swiftlet_trainer.paths import in_pod

OUTCOME_FILE = "outcome.json"
INPUTS = ("model", "datasets", "task", "tuner", "template", "training", "target", "baseline", "suites", "seed")
"""Blocks of a job document that decide what comes out."""
NEW_INPUTS = ("start",)


class Outcome(ApiModel):
    """One finished run."""

    uid: str
    inputs: str = Field(description="`sha256:` digest of what decides the outcome.")
    message: TerminationMessage


def write_outcome(document: TrainDocument | EvaluateDocument, message: TerminationMessage) -> None:
    """Leave `message` in the run's own folder."""
    folder = in_pod(document.output_dir)
    outcome = Outcome(uid=document.uid, inputs=_inputs(document), message=message)
    partial = folder / f".partial-{OUTCOME_FILE}"
    partial.write_text(outcome.model_dump_json(by_alias=True, exclude_none=True), encoding="utf-8")
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.rename(folder / OUTCOME_FILE)


def finished(document: TrainDocument | EvaluateDocument) -> TerminationMessage | None:
    """What a finished attempt of this very run left, or None. An artifact counts while its bytes are as recorded."""
    folder = in_pod(document.output_dir)
    try:
        outcome = Outcome.model_validate_json((folder / OUTCOME_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    if (outcome.uid, outcome.inputs) != (document.uid, _inputs(document)):
        return None
    artifact = outcome.message.artifact
    if artifact and (not is_artifact(folder / "artifact") or identity_problems(folder / "artifact", artifact.digest)):
        return None
    return outcome.message


def _inputs(document: TrainDocument | EvaluateDocument) -> str:
    content = document.document()
    # What is new is left out where it says nothing: outcomes of an earlier release are known by the others.
    new = {name: content[name] for name in NEW_INPUTS if name in content}
    return canonical_digest({name: content.get(name) for name in INPUTS} | new)
