import copy
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.api.schema.defaulting import defaulted

Object = dict[str, Any]


def test_static_defaults_are_what_the_models_fill_in(documents: list[Object]) -> None:
    for document in documents:
        spec = KINDS[document["kind"]].model_validate(document).document()["spec"]
        assert defaulted(document)["spec"] == spec


def test_defaults_are_filled_below_what_is_given(job: Object) -> None:
    job["spec"] |= {"training": {"epochs": 1}, "tuner": {"full": {}}, "parallelism": {}}
    spec = defaulted(job)["spec"]
    assert spec["training"]["globalBatchSize"] == 8
    assert spec["tuner"] == {"full": {}}
    assert spec["parallelism"] == {"nodes": 1, "strategy": "auto"}
    assert spec["datasets"][0]["split"] == "train"


@pytest.mark.parametrize("field", ["tuner", "training", "suspend"])
def test_null_counts_as_absent(job: Object, field: str) -> None:
    given = defaulted(job)
    job["spec"][field] = None
    assert defaulted(job) == given


def test_null_in_an_unknown_field_stays(job: Object) -> None:
    job["spec"]["zzz"] = None
    assert "zzz" in defaulted(job)["spec"]


def test_a_missing_spec_of_a_profile_is_filled(profile: Object) -> None:
    del profile["spec"]
    assert defaulted(profile)["spec"]["gpuResourceName"] == "nvidia.com/gpu"


def test_the_document_stays_as_it_is_and_defaults_are_not_shared(job: Object) -> None:
    before = copy.deepcopy(job)
    defaulted(job)["spec"]["task"]["sft"]["assistantOnlyLoss"] = False
    assert job == before
    assert defaulted(job)["spec"]["task"]["sft"]["assistantOnlyLoss"] is True


def test_defaulting_twice_changes_nothing(documents: list[Object]) -> None:
    for document in documents:
        assert defaulted(defaulted(document)) == defaulted(document)


@pytest.mark.parametrize("spec", [None, [], "text", 3, {"model": [], "datasets": {"a": 1}, "training": [1]}])
def test_documents_of_the_wrong_shape_pass_through(spec: Any, job: Object) -> None:
    job["spec"] = spec
    assert defaulted(job).get("spec") is None or defaulted(job)["spec"] is not None
