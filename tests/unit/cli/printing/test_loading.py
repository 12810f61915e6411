"""The Python that loads an artifact is Python, and names what lies on this machine."""

from pathlib import Path
from typing import Any

import pytest
from swiftlet.cli.printing.loading import loading_lines


def made(type_: str, base: str = "hf://org/name@v1") -> dict[str, Any]:
    artifact = {"uri": "pvc://swiftlet-artifacts/default/it's/artifact", "type": type_, "baseModel": base}
    return {"kind": "FineTuneJob", "spec": {"model": {"uri": base}}, "status": {"artifact": artifact}}


@pytest.mark.parametrize("type_", ["adapter", "model"])
def test_the_lines_are_three_and_load_the_folder(tmp_path: Path, type_: str) -> None:
    lines = loading_lines(made(type_), tmp_path, tmp_path / "mirror")
    compile("\n".join(lines), "lines", "exec")
    assert len(lines) == 3
    assert repr(f"{tmp_path}/volumes/swiftlet-artifacts/default/it's/artifact") in lines[-1]
    assert any("peft" in line for line in lines) is (type_ == "adapter")


def test_the_base_is_the_mirrors_when_it_is_there_else_the_hubs(tmp_path: Path) -> None:
    assert "from_pretrained('org/name')" in loading_lines(made("adapter"), tmp_path, tmp_path)[1]
    (tmp_path / "org/name@v1").mkdir(parents=True)
    assert f"from_pretrained('{tmp_path}/org/name@v1')" in loading_lines(made("adapter"), tmp_path, tmp_path)[1]
    assert "from_pretrained('/m')" in loading_lines(made("adapter", "file:///m"), tmp_path, tmp_path)[1]


@pytest.mark.parametrize("type_", ["adapter", "model"])
def test_what_makes_vectors_has_no_head(tmp_path: Path, type_: str) -> None:
    item = made(type_)
    item["spec"]["task"] = {"embedding": {"pooling": "mean"}}
    lines = "\n".join(loading_lines(item, tmp_path, tmp_path))
    assert " AutoModel.from_pretrained(" in lines and "CausalLM" not in lines


@pytest.mark.parametrize(
    ("task", "labels"), [({"rm": {}}, 1), ({"seqCls": {"labels": ["a", "b", "c"]}}, 3), ({"seqCls": {}}, 2)]
)
def test_what_scores_texts_has_as_many_scores_as_were_learnt(tmp_path: Path, task: dict[str, Any], labels: int) -> None:
    adapter, model = made("adapter"), made("model")
    adapter["spec"]["task"] = model["spec"]["task"] = task
    assert f"AutoModelForSequenceClassification.from_pretrained('org/name', num_labels={labels})" in "\n".join(
        loading_lines(adapter, tmp_path, tmp_path)
    )
    lines = "\n".join(loading_lines(model, tmp_path, tmp_path))
    assert "AutoModelForSequenceClassification.from_pretrained(" in lines and "num_labels" not in lines


def test_nothing_is_loaded_before_it_is_made(tmp_path: Path) -> None:
    assert loading_lines({"kind": "FineTuneJob", "status": {}}, tmp_path, tmp_path) == []
    assert loading_lines({"kind": "ModelDeployment"}, tmp_path, tmp_path) == []
