"""Whole runs that learn vectors of texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from swiftlet_trainer.evaluate.vectors import text_vectors
from swiftlet_trainer.models.embedder import Embedder, read_embedder

TASK = {"embedding": {"pooling": "mean", "queryPrompt": "Query: "}}
SPLIT = {"perDeviceBatchSize": 1, "gradientAccumulationSteps": 4}


def test_positives_come_closer_whatever_the_batches_are(trained: Callable[..., Any]) -> None:
    """Negatives are those of the whole step; so is what is held out compared."""
    held_out = {"training": {"evalFraction": 0.3}}
    whole, split = trained("whole", TASK, **held_out), trained("split", TASK, **held_out, **SPLIT)
    assert whole.curve()[-1] < whole.curve()[0]
    assert split.curve() == pytest.approx(whole.curve(), rel=1e-4)
    assert split.curve("evalLoss") == pytest.approx(whole.curve("evalLoss"), rel=1e-4)
    assert split.curve("gradNorm") == pytest.approx(whole.curve("gradNorm"), rel=2e-2)


def test_two_processes_learn_what_one_does(
    make_pod: Callable[[str], Any], tiny_model: Path, trained: Callable[..., Any]
) -> None:
    alone = trained("alone", TASK, training={"maxSteps": 3})
    pod = make_pod("zero3")
    split = {"perDeviceBatchSize": 1, "gradientAccumulationSteps": 2, "training": {"maxSteps": 3}}
    pod.write_job(tiny_model, task=TASK, processesPerNode=2, strategy="zero3", **split)
    pod.prepare()
    pod.train_together()
    assert pod.curve() == pytest.approx(alone.curve(), rel=1e-4)


def test_a_resumed_run_is_the_same_run(trained: Callable[..., Any], make_pod: Any, tiny_model: Path) -> None:
    from swiftlet_trainer.failures import Terminated

    through = trained("through", TASK, **SPLIT)
    pod = make_pod("stopped")
    pod.write_job(tiny_model, task=TASK, **SPLIT)
    pod.prepare()
    with pytest.raises(Terminated):
        pod.train_here(stop_after=3)
    pod.train_here()
    assert pod.losses() == through.losses()


@pytest.mark.parametrize("tuner", [{"lora": {"rank": 4}}, {"full": {}}], ids=["lora", "full"])
def test_the_artifact_opens_in_other_libraries(trained: Callable[..., Any], tiny_model: Path, tuner: Any) -> None:
    """Vectors of transformers, PEFT and the recorded pooling are those that evaluation ranks by."""
    from peft import PeftModel
    from transformers import AutoModel, AutoTokenizer

    artifact = trained("pod", TASK, tuner=tuner, training={"maxSteps": 2}).output / "artifact"
    assert read_embedder(artifact) == Embedder("mean", "Query: ", "")
    tokenizer = AutoTokenizer.from_pretrained(artifact)
    if "lora" in tuner:
        base = AutoModel.from_pretrained(tiny_model)
        ids = tokenizer("Where does it sleep?", return_tensors="pt")["input_ids"]
        before = base(input_ids=ids).last_hidden_state
        model = PeftModel.from_pretrained(base, artifact).eval()
        assert not torch.allclose(model(input_ids=ids).last_hidden_state, before, atol=1e-3), "the adapter is on"
    else:
        model = AutoModel.from_pretrained(artifact).eval()
    text = tokenizer("Where does it sleep?")["input_ids"]
    hidden = model(input_ids=torch.tensor([text])).last_hidden_state[0]
    expected = torch.nn.functional.normalize(hidden.mean(0), dim=0)
    assert torch.allclose(text_vectors(model, [text], "mean", 0, 8)[0], expected, atol=1e-5)
