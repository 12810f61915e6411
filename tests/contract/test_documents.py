"""Job documents across one release: the types of 0.1.0 read what today's operator writes, and the other way round."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from swiftlet.wire import documents
from swiftlet.wire.reading import read
from swiftlet.wire.version import Since, Wire
from swiftlet_0_1_0.api import job as earlier

FOLDER = Path(__file__).parent
EARLIER = sorted((FOLDER / "releases/swiftlet_0_1_0/documents").glob("*.json"))
RENDERED = sorted((FOLDER.parent / "golden").glob("*.yaml"))


def rendered_document(path: Path) -> dict[str, Any]:
    """The job document among the children that today's operator renders: a ConfigMap, or an annotation of pods."""
    manifests = [found for found in yaml.safe_load_all(path.read_text()) if found]
    texts = [manifest["data"]["job.json"] for manifest in manifests if manifest["kind"] == "ConfigMap"]
    templates = [manifest["spec"]["template"]["metadata"] for manifest in manifests if manifest["kind"] == "Job"]
    texts += [template["annotations"]["swiftlet.dev/job-document"] for template in templates]
    (text,) = texts
    return json.loads(text)  # type: ignore[no-any-return]


def test_both_sides_have_documents() -> None:
    assert {path.stem for path in EARLIER} == {path.stem for path in RENDERED} and len(EARLIER) >= 4


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.stem)
def test_a_pod_of_the_last_release_reads_what_this_operator_writes(path: Path) -> None:
    document = rendered_document(path)
    kind = getattr(earlier, document["kind"])
    assert kind.model_validate(document).kind == document["kind"]


@pytest.mark.parametrize("path", EARLIER, ids=lambda path: path.stem)
def test_this_trainer_reads_what_the_last_operator_wrote(path: Path) -> None:
    document = json.loads(path.read_text())
    found = read(getattr(documents, document["kind"]), document)
    assert found.ignored == ()
    assert found.value.document() == document, "nothing is lost, and nothing is added"


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.stem)
def test_what_the_next_release_adds_anywhere_is_left_out_and_named(path: Path) -> None:
    document = rendered_document(path)
    kind = getattr(documents, document["kind"])
    added: list[str] = []
    found = read(kind, _with_news(document, "", added))
    assert found.value == read(kind, document).value
    assert sorted(found.ignored) == sorted(added) and len(added) > 3


def _with_news(part: Any, at: str, added: list[str]) -> Any:
    if isinstance(part, list):
        return [_with_news(item, f"{at}[{index}]", added) for index, item in enumerate(part)]
    if not isinstance(part, dict) or at.endswith("placeholders"):
        return part
    below = {name: _with_news(value, f"{at}.{name}" if at else name, added) for name, value in part.items()}
    added.append(f"{at}.news" if at else "news")
    return {**below, "news": {"deep": [1]}}


class _Part(Wire):
    old: int = 1
    new: Annotated[bool, Since("1.2")] = False


class _Whole(Wire):
    parts: list[_Part]
    newer: Annotated[str | None, Since("1.3")] = None


@pytest.mark.parametrize(
    ("whole", "written"),
    [
        (_Whole(parts=[_Part()]), {"parts": [{"old": 1}]}),
        (_Whole(parts=[_Part(new=True)]), {"schemaVersion": "1.2", "parts": [{"old": 1, "new": True}]}),
        (_Whole(parts=[_Part()], newer="x"), {"schemaVersion": "1.3", "parts": [{"old": 1}], "newer": "x"}),
    ],
)
def test_new_fields_travel_only_when_they_say_something(whole: _Whole, written: dict[str, Any]) -> None:
    assert whole.document() == written
