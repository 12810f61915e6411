import copy
from collections.abc import Callable
from typing import Any

import pytest
from swiftlet.api.schema.problems import Location, Source
from swiftlet.api.schema.validation import nearest, validate, validate_update

Object = dict[str, Any]


def _said(document: Object) -> list[str]:
    return [str(problem).partition(": ")[2] for problem in validate(document)]


def test_good_documents_have_no_problems(documents: list[Object]) -> None:
    for document in documents:
        assert validate(document) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"training": {"epoch": 3}}, "spec.training.epoch: unknown field; did you mean epochs?"),
        (
            {"zzz": None},
            "spec.zzz: unknown field; the fields here are model, datasets, task, tuner, template, training",
        ),
        ({"tuner": {"full": {"rank": 1}}}, "spec.tuner.full.rank: unknown field; there are no fields here"),
        ({"training": {"seed": "1"}}, 'spec.training.seed: "1" must be an integer, not a string; take the quotes away'),
        ({"training": {"seed": 1.5}}, "spec.training.seed: 1.5 must be an integer, not a number"),
        ({"training": {"epochs": "many"}}, 'spec.training.epochs: "many" must be a number, not a string'),
        ({"training": {"epochs": 0}}, "spec.training.epochs: 0 must be greater than 0"),
        ({"training": {"maxSteps": 0}}, "spec.training.maxSteps: 0 must be greater than or equal to 1"),
        ({"suspend": "on"}, 'spec.suspend: "on" must be true or false, not a string'),
        ({"suspend": 1}, "spec.suspend: 1 must be true or false, not an integer"),
        (
            {"template": {"system": True}},
            "spec.template.system: true must be a string, not a boolean; put it in quotes: YAML reads words such as",
        ),
        (
            {"compute": {"resources": {"limits": {"cpu": 0.5}}}},
            'spec.compute.resources.limits.cpu: 0.5 must be a string, not a number; put it in quotes: "0.5"',
        ),
        (
            {"compute": {"resources": {"limits": {"cpu": True}}}},
            "spec.compute.resources.limits.cpu: true must be a string, not a boolean; put it in quotes: YAML reads",
        ),
        (
            {"compute": {"resources": {"requests": {"cpu": -1}}}},
            'spec.compute.resources.requests.cpu: "-1" is not a quantity; write one such as 500m, 2 or 8Gi',
        ),
        (
            {"compute": {"resources": {"limits": {"memory": "8 GB"}}}},
            'spec.compute.resources.limits.memory: "8 GB" is not a quantity; write one such as 500m, 2 or 8Gi',
        ),
        ({"checkpoints": [1]}, "spec.checkpoints: [1] must be an object, not a list"),
        (
            {"datasets": {"uri": "x"}},
            'spec.datasets: {"uri": "x"} must be a list, not an object; write each item after',
        ),
        ({"datasets": []}, "spec.datasets: [] must have at least 1 item"),
        (
            {"parallelism": {"strategy": "zero4"}},
            'spec.parallelism.strategy: "zero4" must be one of auto, ddp, zero1, zero2, zero3; did you mean zero',
        ),
        (
            {"model": {"uri": "ftp://a/b"}},
            'spec.model.uri: "ftp://a/b" is not a model; write pvc://claim/path, hf://org/name[@revision], s3',
        ),
        ({"model": {}}, "spec.model: set exactly one of uri, fineTuneJobRef"),
        ({"model": {"fineTuneJobRef": {"name": "bird"}}}, 'spec.model.fineTuneJobRef.name: "bird" is the'),
        ({"model": {"uri": "hf://o/n", "mergeAdapter": False}}, "spec.model.mergeAdapter: false is about the"),
        ({"tuner": {"lora": {}, "full": {}}}, "spec.tuner: set exactly one of lora, full"),
        ({"training": {"epochs": 1, "maxSteps": 1}}, "spec.training: set at most one of epochs, maxSteps"),
        (
            {"training": {"perDeviceBatchSize": 3}},
            "spec.training.globalBatchSize: 8 must be a multiple of perDeviceBatchSize",
        ),
        (
            {"datasets": [{"uri": "x", "split": "eval"}]},
            "spec.datasets: at least one data set must have split: train",
        ),
    ],
)
def test_a_bad_job_is_refused_with_field_value_rule_and_remedy(job: Object, change: Object, said: str) -> None:
    job["spec"] |= change
    (problem,) = _said(job)
    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": {}}, "spec.target: set exactly one of fineTuneJobRef, model"),
        (
            {"suites": [{"limit": 3}]},
            "spec.suites[0]: set exactly one of generation, perplexity, multipleChoice, preference, retrieval,"
            " classification, regression, toolCalling",
        ),
        ({"gates": [{"metric": "contains"}]}, "spec.gates[0]: set at least one of min, max, minDelta"),
        ({"gates": [{"metric": "contains", "minDelta": 0.1}]}, "spec.gates: a gate on a delta needs a baseline"),
        (
            {"target": {"model": {"uri": "hf://a/b"}}, "baseline": {"base": {}}},
            "spec.baseline: baseline.base needs a target with a base: a fineTuneJobRef, or a model with adapterUri",
        ),
    ],
)
def test_a_bad_evaluation_is_refused(run: Object, change: Object, said: str) -> None:
    run["spec"] |= change
    (problem,) = _said(run)
    assert problem.startswith(said)


def test_an_adapter_by_uri_has_a_base(run: Object) -> None:
    run["spec"] |= {"target": {"model": {"uri": "hf://a/b", "adapterUri": "pvc://a/b"}}, "baseline": {"base": {}}}
    assert _said(run) == []


def test_every_problem_of_a_document_is_reported_in_order_of_lines(job: Object) -> None:
    job["spec"] |= {"training": {"epoch": 3, "seed": "1"}, "suspend": "x", "tuner": {"lora": {"rnak": 1}, "full": {}}}
    lines: dict[Location, int] = {
        ("spec", "tuner"): 4,
        ("spec", "tuner", "lora", "rnak"): 5,
        ("spec", "training", "seed"): 3,
    }
    lines |= {("spec", "training", "epoch"): 2, ("spec", "suspend"): 9}
    problems = validate(job, Source("f.yaml", lines))
    assert [str(problem).partition(" ")[0] for problem in problems] == [f"f.yaml:{line}:" for line in (2, 3, 4, 5, 9)]


def test_a_rule_that_only_follows_from_a_typo_is_not_reported_as_well(run: Object) -> None:
    run["spec"]["target"] = {"fineTunejobRef": {"name": "bird"}}
    assert _said(run) == ["spec.target.fineTunejobRef: unknown field; did you mean fineTuneJobRef?"]
    run["spec"] |= {"target": {"fineTuneJobRef": {"name": "b"}}, "gates": [{"metric": "contains", "min": "0.8"}]}
    assert _said(run) == ['spec.gates[0].min: "0.8" must be a number, not a string; take the quotes away']


@pytest.mark.parametrize("name", ["Bird", "1bird", "bird.", "-bird", "b" * 53, "", 7, None])
def test_bad_names_are_refused(job: Object, name: Any) -> None:
    job["metadata"]["name"] = name
    (problem,) = validate(job)
    assert problem.field == "metadata.name"


def test_unknown_metadata_is_refused_and_known_metadata_passes(job: Object) -> None:
    job["metadata"] |= {"labls": {}, "labels": {"a": "b"}, "finalizers": ["x"]}
    assert _said(job) == ["metadata.labls: unknown field; did you mean labels?"]


def test_api_versions_are_bound(job: Object) -> None:
    job["apiVersion"] = "swiftlet.dev/v2"
    assert _said(job) == ['apiVersion: "swiftlet.dev/v2" must be swiftlet.dev/v1alpha1']


def test_without_a_source_the_object_is_named(job: Object) -> None:
    job["spec"]["zzz"] = 1
    assert str(validate(job)[0]).startswith("FineTuneJob/bird: spec.zzz: unknown field")


@pytest.mark.parametrize("spec", [None, [], "x", 3, {}, {"model": None, "datasets": None}])
def test_specs_of_the_wrong_shape_are_refused(job: Object, spec: Any) -> None:
    job["spec"] = spec
    assert validate(job)


def _with(change: Callable[[Object], Any], document: Object) -> Object:
    changed = copy.deepcopy(document)
    change(changed["spec"])
    return changed


def test_an_update_names_each_immutable_field_with_old_and_new_value(job: Object) -> None:
    job["spec"]["template"] = {"maxLength": 64}
    new = _with(lambda spec: spec.update(template={"maxLength": 128}, training={"epochs": 2}), job)
    said = [str(problem).partition(": ")[2] for problem in validate_update(job, new)]
    remedy = "; delete the resource and create it again, or use a new name"
    assert said == [
        f"spec.template.maxLength: 128 is immutable (it was 64){remedy}",
        f"spec.training.epochs: 2 is immutable (it was absent){remedy}",
    ]


def test_an_update_names_what_was_removed_and_what_joined_a_list(job: Object) -> None:
    job["spec"]["activeDeadlineSeconds"] = 3
    job["spec"]["training"] = {"maxSteps": 2}
    added = {"uri": "b"}
    new = _with(lambda spec: (spec["datasets"].append(added), spec.pop("training")), job)
    fields = {problem.field: problem for problem in validate_update(job, new)}
    assert set(fields) == {"spec.datasets[1]", "spec.training.maxSteps"}
    assert "absent" in str(fields["spec.training.maxSteps"])


def test_writing_out_a_default_is_no_change(job: Object) -> None:
    new = _with(lambda spec: spec.update(tuner={"lora": {"rank": 16}}, training={"seed": 42}), job)
    assert validate_update(job, new) == []


def test_a_tuner_that_was_filled_in_when_the_job_was_stored_may_be_left_out_but_for_another_jobs_adapter(
    job: Object,
) -> None:
    """As release 0.1.0 filled it in."""
    usual = {"rank": 16, "dropout": 0.0, "targetModules": ["all-linear"], "useRslora": False, "useDora": False}
    stored = _with(lambda spec: spec.update(tuner={"lora": usual}), job)
    assert validate_update(stored, job) == []
    for shape in ({"rank": 8}, {"alpha": 32}, {"targetModules": ["q_proj"]}):
        other = _with(lambda spec, shape=shape: spec.update(tuner={"lora": usual | shape}), job)  # type: ignore[misc]
        assert [problem.field for problem in validate_update(other, job)] == ["spec.tuner"]
    job["spec"]["model"] = {"fineTuneJobRef": {"name": "sft"}}
    stored["spec"]["model"] = job["spec"]["model"]
    assert [problem.field for problem in validate_update(stored, job)] == ["spec.tuner"]


def test_fields_that_steer_a_run_may_change(job: Object, run: Object, deployment: Object) -> None:
    for document in (job, run):
        new = _with(lambda spec: spec.update(suspend=True, backoffLimit=5, activeDeadlineSeconds=9), document)
        assert validate_update(document, new) == []
    new = _with(lambda spec: spec.update(replicas=2, adapters=[{"name": "a", "uri": "x"}]), deployment)
    assert validate_update(deployment, new) == []


def test_nearest_ignores_case_and_gives_up_on_strangers() -> None:
    assert nearest("finetuneJob", ["FineTuneJob", "EvalRun"]) == "FineTuneJob"
    assert nearest("Pod", ["FineTuneJob", "EvalRun"]) is None
