"""The table in the reference is true. Every outcome in these tests is held to it too: see World.look."""

import re
from pathlib import Path

import pytest
import swiftlet.kinds
from swiftlet.kinds.conditions.reasons import POD_OBSTACLES
from swiftlet.kinds.conditions.table import CONDITIONS
from swiftlet.kinds.frame.events import BY_REASON, BY_STATUS
from swiftlet.kinds.observing.observed import BAD_WAITS

SOURCES = Path(swiftlet.kinds.__file__).parent
FOLDERS = {"FineTuneJob": "finetunejob", "EvalRun": "evalrun", "ModelDeployment": "modeldeployment"}


@pytest.mark.parametrize("kind", CONDITIONS)
def test_verdicts_are_in_the_table(kind: str) -> None:
    own = "".join(path.read_text() for path in (SOURCES / FOLDERS[kind]).glob("*.py"))
    shared = "".join(
        (SOURCES / name).read_text()
        for name in ("references/sources.py", "references/profiles.py", "owning/ownership.py")
    )
    reasons = set(re.findall(r'Verdict\(\s*"([A-Za-z]+)"', own + shared))
    assert reasons
    assert reasons <= {reason for doc in CONDITIONS[kind] for reason in doc.reasons}


def test_reasons_are_camel_case_and_explained() -> None:
    for docs in CONDITIONS.values():
        for doc in docs:
            assert doc.meaning.endswith(".")
            for reason, meaning in doc.reasons.items():
                assert re.fullmatch(r"[A-Z][A-Za-z]+", reason)
                assert meaning.endswith(".")


def test_waits_of_containers_are_explained() -> None:
    assert set(POD_OBSTACLES) >= BAD_WAITS


def test_events_speak_of_conditions_that_there_are() -> None:
    known = {(doc.type, reason) for docs in CONDITIONS.values() for doc in docs for reason in doc.reasons}
    types = {type_ for type_, _ in known}
    assert {type_ for type_, _ in BY_STATUS} <= types
    assert set(BY_REASON) <= known
