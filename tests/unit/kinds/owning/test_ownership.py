import pytest
from swiftlet.api import FineTuneJob
from swiftlet.kinds.owning.ownership import canonical_json, digest_of, owned_by, owner_reference, planned_port, uid_of


def job(**metadata: str) -> FineTuneJob:
    spec = {"model": {"uri": "hf://a/b"}, "datasets": [{"uri": "configmap://a/b.jsonl"}]}
    return FineTuneJob.model_validate({"kind": "FineTuneJob", "metadata": {"name": "bird", **metadata}, "spec": spec})


def test_a_resource_that_was_never_stored_has_no_children() -> None:
    with pytest.raises(ValueError, match=r"FineTuneJob bird has no metadata\.uid"):
        uid_of(job())


def test_owner_reference() -> None:
    child = {"metadata": {"name": "a", "ownerReferences": [owner_reference(job(uid="1"))]}}
    assert owned_by(child, "1")
    assert not owned_by(child, "2")
    assert not owned_by({"metadata": {"name": "a"}}, "1")


def test_equal_documents_are_equal_texts() -> None:
    # What releases before wrote, to the byte: another text would be a write to every ConfigMap.
    assert canonical_json({"b": 1, "a": "ü"}) == '{\n  "a": "ü",\n  "b": 1\n}\n'
    assert digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1}) != digest_of({"a": 2, "b": 2})


def test_ports_depend_on_the_name_only() -> None:
    ports = {planned_port("default", f"job-{number}", 20000, 10000) for number in range(100)}
    assert len(ports) > 90
    assert min(ports) >= 20000 and max(ports) < 30000
    assert planned_port("a", "b", 20000, 10000) == planned_port("a", "b", 20000, 10000)
