import re

from swiftlet.api.v1alpha1.uris import MODEL_URI_PATTERN, parse_uri
from swiftlet.storage.artifacts import artifact_uri, may_be_artifact


def test_what_runs_leave_is_a_model_that_documents_can_name() -> None:
    text = artifact_uri("swiftlet-artifacts", "default/finetunejobs/bird-1/artifact")
    assert re.fullmatch(MODEL_URI_PATTERN, text)
    assert parse_uri(text).path == "default/finetunejobs/bird-1/artifact"


def test_only_what_lies_on_the_artifacts_claim_is_theirs() -> None:
    text = artifact_uri("made", "x")
    assert may_be_artifact(parse_uri(text), "made")
    assert not may_be_artifact(parse_uri(text), "other")
    assert not may_be_artifact(parse_uri("configmap://made/x"), "made")
