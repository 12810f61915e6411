"""What may be served beside what, by the files of models and adapters."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from swiftlet_trainer.models.embedder import POOLING_FILE, Embedder, write_embedder
from swiftlet_trainer.models.made import beside_problems, head_name, served_head

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A folder by what it makes: `make("score", labels=2)`, `make("pool", adapter=True)`."""

    def build(kind: str, adapter: bool = False, labels: int = 1) -> Path:
        folder = tmp_path / f"{kind}-{labels}-{'adapter' if adapter else 'model'}"
        folder.mkdir()
        architecture = "LlamaForSequenceClassification" if kind == "score" else "LlamaForCausalLM"
        named = {"id2label": {str(number): f"label{number}" for number in range(labels)}} if kind == "score" else {}
        if adapter:
            of_task = {"task_type": "SEQ_CLS" if kind == "score" else "CAUSAL_LM"}
            (folder / "adapter_config.json").write_text(json.dumps(of_task))
            save_file({"base_model.model.score.weight": torch.zeros(labels, 4)}, folder / "adapter_model.safetensors")
        else:
            (folder / "config.json").write_text(json.dumps({"architectures": [architecture], **named}))
        if kind == "pool":
            write_embedder(folder, Embedder(), hidden_size=4, max_length=64)
        return folder

    return build


@pytest.mark.parametrize("kind", ["tokens", "score", "pool"])
def test_whole_models_are_served_by_their_names(make: Make, kind: str) -> None:
    model = make(kind)
    assert (head_name(model), served_head(model, []), beside_problems(model, ["base"], {})) == (kind, kind, [])


@pytest.mark.parametrize("kind", ["tokens", "score", "pool"])
def test_adapters_of_a_base(make: Make, kind: str) -> None:
    model, adapter = make("tokens"), make(kind, adapter=True)
    assert served_head(model, [adapter]) == kind
    assert beside_problems(model, [], {"bird": adapter}) == []
    named = beside_problems(model, ["base"], {"bird": adapter})
    assert [problem.partition(",")[0] for problem in named] == (
        ["base: the model gives texts no scores without an adapter"] if kind == "score" else []
    )


def test_adapters_that_make_other_things_are_served_apart(make: Make) -> None:
    adapters = {"bird": make("pool", adapter=True), "judge": make("score", adapter=True)}
    (problem,) = beside_problems(make("tokens"), [], adapters)
    assert problem.startswith("adapter judge: it gives texts scores, and adapter bird makes vectors of texts; serve")


def test_an_adapter_of_another_model_is_told(make: Make) -> None:
    (problem,) = beside_problems(make("pool"), ["base"], {"bird": make("tokens", adapter=True)})
    assert problem == "adapter bird: it answers, and its model makes vectors of texts; use the base it was made from"


def test_scores_of_other_shapes_are_served_apart(make: Make) -> None:
    adapters = {"one": make("score", adapter=True), "two": make("score", adapter=True, labels=2)}
    (problem,) = beside_problems(make("tokens"), [], adapters)
    assert problem.startswith("adapter two: its scores are other ones than those of adapter one")


def test_vectors_that_are_not_computed_here_are_told(make: Make) -> None:
    model = make("pool")
    (model / POOLING_FILE).write_text(json.dumps({"pooling_mode_max_tokens": True}))
    (problem,) = beside_problems(model, ["base"], {})
    assert "pooling_mode_max_tokens is not computed here" in problem
