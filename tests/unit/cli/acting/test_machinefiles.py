"""`swiftlet run` looks for what hf:// and pvc:// name before it starts anything."""

from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.cli.acting.machinefiles import machine_problems
from swiftlet.documents import read_documents

HEAD = "apiVersion: swiftlet.dev/v1alpha1\nkind: FineTuneJob\nmetadata: {name: a}\nspec:\n"
PROFILE = "---\napiVersion: swiftlet.dev/v1alpha1\nkind: ComputeProfile\nmetadata: {name: default}\nspec: %s\n"
DONE = {"type": "Succeeded", "status": "True", "reason": "Trained", "message": "", "observedGeneration": 1}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A mirror with one model and one data file, and a state folder with a claim that holds the same."""
    for folder in ("mirror/org/name", "mirror/org/name@v1", "state/volumes/own/org/name"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.json").write_text("{}")
    (tmp_path / "mirror/org/name/rows.jsonl").write_text("{}")
    (tmp_path / "mirror/org/bare").mkdir()
    (tmp_path / "state/volumes/own/rows.csv").write_text("a")
    return tmp_path


def problems(machine: Path, model: str, data: str, profile: str = "{}", existing: Any = ()) -> list[str]:
    text = f"  model: {{uri: '{model}'}}\n  datasets: [{{uri: '{data}'}}]\n"
    file = machine / "a.yaml"
    file.write_text(HEAD + text + PROFILE % profile)
    environ = {"SWIFTLET_HF_MIRROR": str(machine / "mirror")}
    found = machine_problems(read_documents([file]), existing, machine / "state", environ)
    return [str(problem).replace(f"{machine}/", "") for problem in found]


MIRRORED = "{storage: {modelsClaim: swiftlet-models}}"


@pytest.mark.parametrize(
    ("model", "data", "profile"),
    [
        ("hf://org/name", "hf://org/name/rows.jsonl", MIRRORED),
        ("hf://org/name@v1", "pvc://own/rows.csv", MIRRORED),
        ("hf://org/name", "pvc://own/rows.csv", "{storage: {modelsClaim: own}}"),
        ("hf://any/thing", "pvc://own/rows.csv", "{}"),
        ("pvc://swiftlet-models/org/name", "pvc://swiftlet-artifacts/default/later.jsonl", MIRRORED),
    ],
)
def test_what_is_here_may_come_from_the_hub_or_is_made_by_a_run_is_fine(
    machine: Path, model: str, data: str, profile: str
) -> None:
    assert problems(machine, model, data, profile) == []


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        (
            "hf://org/nane",
            "pvc://own/rows.csv",
            'a.yaml:5: spec.model.uri: "hf://org/nane" is not in the mirror: mirror/org/nane does not exist; did you'
            " mean hf://org/name? Else put the model's folder there, or name another mirror with $SWIFTLET_HF_MIRROR",
        ),
        ("hf://org/name@v2", "pvc://own/rows.csv", "did you mean hf://org/name@v1?"),
        ("hf://zzz/yyy", "pvc://own/rows.csv", "mirror/zzz/yyy does not exist; put the model's folder there"),
        ("hf://org/bare", "pvc://own/rows.csv", "holds no model (it has no config.json): mirror/org/bare"),
        (
            "hf://org/name",
            "hf://org/name/rowz.jsonl",
            "mirror/org/name/rowz.jsonl does not exist; did you mean rows.jsonl?",
        ),
        (
            "hf://org/name",
            "pvc://own/rowz.csv",
            "does not exist: state/volumes/own/rowz.csv; did you mean rows.csv?",
        ),
    ],
)
def test_what_is_not_here_is_told_with_its_place_and_the_nearest(
    machine: Path, model: str, data: str, said: str
) -> None:
    (line,) = problems(machine, model, data, MIRRORED)
    assert said in line


def test_all_are_told_at_once(machine: Path) -> None:
    assert len(problems(machine, "hf://no/one", "hf://no/one/a.csv", MIRRORED)) == 2


def test_a_run_that_has_succeeded_needs_its_model_no_more(machine: Path) -> None:
    stored = {"kind": "FineTuneJob", "metadata": {"name": "a", "generation": 1}}
    done = {**stored, "status": {"observedGeneration": 1, "conditions": [DONE]}}
    assert problems(machine, "hf://no/one", "pvc://own/rows.csv", MIRRORED, [done]) == []
    assert len(problems(machine, "hf://no/one", "pvc://own/rows.csv", MIRRORED, [stored])) == 1


def test_they_come_together_with_what_the_schema_says(machine: Path) -> None:
    (machine / "a.yaml").write_text(HEAD + "  model: {uri: hf://no/one}\n  datasets: []\n  compute: {gpus: many}\n")

    def also(documents: Any) -> Any:
        return machine_problems(documents, [], machine / "state", {"SWIFTLET_HF_MIRROR": str(machine)})

    with pytest.raises(InvalidDocuments) as refused:
        read_documents([machine / "a.yaml"], also=also)
    assert {"spec.model.uri", "spec.datasets", "spec.compute.gpus"} <= {one.field for one in refused.value.problems}
