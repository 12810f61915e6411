"""Runs that learn scores of texts: what they learn, that it does not depend on how they are computed, and that others
read what they leave behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.failures import Terminated
from swiftlet_trainer.verbs.evaluate import run as evaluate
from swiftlet_trainer.verbs.validate import checked


@pytest.fixture(scope="session")
def tiny_model(all_tokens: Path) -> Path:
    """Begun with by the runs of this file: rerankers answer by tokens that are not among the first."""
    return all_tokens


RM = {"rm": {"centerRewardsCoefficient": 0.01}}
PACKED = {"packing": True, "maxLength": 256}


def test_what_is_learnt_does_not_depend_on_the_batches(trained: Callable[..., Any]) -> None:
    whole = trained("whole", RM)
    split = trained("split", RM, perDeviceBatchSize=1, gradientAccumulationSteps=4)
    for figure in ("rewardsMargins", "gradNorm"):
        assert split.curve(figure) == pytest.approx(whole.curve(figure), rel=2e-2, abs=2e-3)
    assert split.curve() == pytest.approx(whole.curve(), rel=1e-4)
    assert whole.curve()[-1] < 0.6
    assert whole.curve("rewardsAccuracies")[-1] == 1


LISTWISE = {"reranker": {"lossType": "listwise", "temperature": 0.5}}
GENERATIVE = {"reranker": {"lossType": "listwise", "generative": True}}


@pytest.mark.parametrize(
    ("task", "tuner"),
    [(RM, {"lora": {"rank": 4}}), (RM, {"full": {}}), (GENERATIVE, {"lora": {"rank": 4}})],
    ids=["lora", "full", "generative"],
)
def test_a_resumed_run_is_the_same_run(make_pod: Callable[[str], Any], tiny_model: Path, task: Any, tuner: Any) -> None:
    """Bit for bit, of packed rows and with recomputed activations; in bf16 with master weights where that is fast."""
    curves = []
    for name in ("through", "stopped"):
        pod = make_pod(name)
        training = {"learningRate": 1e-3, "precision": "auto", "gradientCheckpointing": True, "maxSteps": 4}
        pod.write_job(tiny_model, task=task, tuner=tuner, training=training, template=PACKED)
        pod.prepare()
        if name == "stopped":
            with pytest.raises(Terminated, match="stopped after step"):
                pod.train_here(stop_after=2)
            assert 0 < len(pod.losses()) < 4
        pod.train_here()
        curves.append(pod.losses())
    assert curves[0] == curves[1]


@pytest.mark.parametrize(
    ("task", "strategy", "tuner"),
    [(RM, "ddp", "lora"), (LISTWISE, "zero2", "full"), (RM, "zero3", "lora"), (GENERATIVE, "zero3", "lora")],
    ids=["rm-ddp", "listwise-zero2", "rm-zero3", "generative-zero3"],
)
def test_two_processes_learn_what_one_does(
    make_pod: Callable[[str], Any], tiny_model: Path, trained: Callable[..., Any], task: Any, strategy: str, tuner: str
) -> None:
    same = {"tuner": {tuner: {}}, "task": task}
    alone = trained("alone", steps=3, rate=1e-3, **same)
    pod = make_pod(strategy)
    split = {"perDeviceBatchSize": 1, "gradientAccumulationSteps": 2, "processesPerNode": 2, "strategy": strategy}
    pod.write_job(tiny_model, training={"maxSteps": 3, "learningRate": 1e-3}, **same, **split)
    pod.prepare()
    pod.train_together()
    assert pod.curve() == pytest.approx(alone.curve(), rel=1e-4)
    assert pod.curve("rewardsMargins") == pytest.approx(alone.curve("rewardsMargins"), rel=2e-2, abs=2e-3)
    assert bool(pod.curve("rewardsMargins")) == (task == RM)


def scored_by_transformers(artifact: Path, base: Path, labels: int, asked: list[Any]) -> list[list[float]]:
    """Scores of texts or conversations by an artifact that is opened as its card says, in one padded batch."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    is_adapter = (artifact / "adapter_config.json").is_file()
    kind, tokenizer = AutoModelForSequenceClassification, AutoTokenizer.from_pretrained(artifact)
    model = kind.from_pretrained(base if is_adapter else artifact, num_labels=labels, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, artifact) if is_adapter else model
    texts = asked if isinstance(asked[0], str) else tokenizer.apply_chat_template(asked, tokenize=False)
    given = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
    with torch.no_grad():
        return model.eval()(**given).logits.tolist()


@pytest.mark.parametrize("tuner", [{"lora": {"rank": 4}}, {"full": {}}], ids=["lora", "full"])
def test_others_read_the_artifact_and_give_the_scores_of_the_evaluation(
    trained: Callable[..., Any], tiny_model: Path, tuner: Any
) -> None:
    pod = trained("pod", RM, tuner=tuner, rate=1e-3)
    pairs = [{**PAIR, "chosen": "It sleeps on the wing." + " Truly." * number, "margin": 1} for number in range(4)]
    is_adapter = "lora" in tuner
    records, results = evaluated(pod, pairs, {"preference": {"uri": "rows.jsonl"}}, is_adapter)
    asked = {"role": "user", "content": PAIR["prompt"]}
    chats = [[asked, {"role": "assistant", "content": pair[name]}] for pair in pairs for name in ("chosen", "rejected")]
    expected = [score for (score,) in scored_by_transformers(pod.output / "artifact", tiny_model, 1, chats)]
    found = [score for record in records for score in record["scores"]]
    assert found == pytest.approx(expected, abs=1e-4)
    right = sum(better > worse for better, worse in zip(expected[::2], expected[1::2], strict=True))
    assert [(one["metric"], float(one["value"])) for one in results] == [("preference_accuracy", right / 4)]


CLASSES = {"labels": ["short", "long", "odd"], "problemType": "multi_label_classification"}


def test_a_classifier_says_what_it_learnt_and_others_read_it(
    make_pod: Callable[[str], Any], tiny_model: Path, tmp_path: Path
) -> None:
    """Two classes at once; the third has no row, which is told."""
    rows = [
        {"text": "Swift. " * (1 if number % 2 else 9), "label": ["short" if number % 2 else "long"]}
        for number in range(16)
    ]
    pod = make_pod("pod")
    training = {"learningRate": 1e-2, "maxSteps": 12}
    document = pod.write_job(tiny_model, task={"seqCls": CLASSES}, training=training, template=PACKED)
    (pod.root / "swiftlet" / "data" / "0" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "no training row has the label odd; nothing is learnt of it" in checked(document)
    pod.prepare()
    pod.train_here()
    assert pod.curve()[-1] < pod.curve()[0]
    records, results = evaluated(pod, rows[:4], {"classification": {"uri": "rows.jsonl"}}, is_adapter=True)
    assert {one["metric"]: float(one["value"]) for one in results} == dict.fromkeys(
        ("accuracy", "f1_macro", "f1_micro", "precision_macro", "recall_macro"), 1.0
    )
    assert pod.curve("accuracy")[-1] == 1
    assert [record["answer"] for record in records] == ["long", "short", "long", "short"]
    texts = [row["text"] for row in rows[:4]]
    expected = scored_by_transformers(pod.output / "artifact", tiny_model, 3, texts)
    for record, scores in zip(records, expected, strict=True):
        assert record["scores"] == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize("task", [LISTWISE, {"reranker": {}}, GENERATIVE], ids=["listwise", "pointwise", "generative"])
def test_a_reranker_learns_what_answers_in_any_batches_and_is_asked_as_it_learnt(
    trained: Callable[..., Any], tiny_model: Path, task: Any
) -> None:
    whole = trained("whole", task, steps=12)
    pod = trained("split", task, steps=12, perDeviceBatchSize=1, gradientAccumulationSteps=4)
    assert pod.curve() == pytest.approx(whole.curve(), rel=1e-3, abs=1e-4)
    assert sum(pod.curve()[-3:]) < 0.8 * sum(pod.curve()[:3])
    negative = "Nobody knows."
    rows = [{"query": f"Which {one}?", "positive": f"A {one}.", "negative": negative} for one in ("owl", "tit")]
    records, results = evaluated(pod, rows, {"retrieval": {"uri": "rows.jsonl", "corpus": "row"}}, is_adapter=True)
    texts = [f"Query: {row['query']}\nDocument: {row[kind]}" for row in rows for kind in ("positive", "negative")]
    if task == GENERATIVE:
        scores = [answered_by_transformers(pod.output / "artifact", tiny_model, text) for text in texts]
    else:
        scores = [score for (score,) in scored_by_transformers(pod.output / "artifact", tiny_model, 1, texts)]
    is_first = [better > worse for better, worse in zip(scores[::2], scores[1::2], strict=True)]
    assert [record["metrics"]["recall_at_1"] for record in records] == [float(one) for one in is_first]
    assert {one["metric"] for one in results} == {"mrr", "ndcg_at_10", "recall_at_1", "recall_at_10"}


def answered_by_transformers(artifact: Path, base: Path, asked: str) -> float:
    """How much likelier the artifact's answer yes is than no, in nats."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(artifact)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), artifact)
    turns = [{"role": "user", "content": asked}]
    given = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        said = model.eval()(**given).logits[0, -1].log_softmax(-1)
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    return float(said[yes] - said[no])


def test_figures_of_texts_are_judged_by_their_errors(make_pod: Callable[[str], Any], tiny_model: Path) -> None:
    rows = [{"text": "Swift. " * (1 + number % 4), "label": number % 4 - 1.5} for number in range(16)]
    pod = make_pod("pod")
    task = {"seqCls": {"problemType": "regression"}}
    pod.write_job(tiny_model, task=task, training={"learningRate": 1e-2, "maxSteps": 12})
    (pod.root / "swiftlet" / "data" / "0" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pod.prepare()
    pod.train_here()
    assert not pod.curve("accuracy"), "figures have no class"
    records, results = evaluated(pod, rows[:4], {"regression": {"uri": "rows.jsonl"}}, is_adapter=True)
    found = {one["metric"]: float(one["value"]) for one in results}
    given = [score for record in records for score in record["scores"]]
    assert [record["reference"] for record in records] == ["-1.5", "-0.5", "0.5", "1.5"]
    known = [row["label"] for row in rows[:4]]
    assert found["mse"] == pytest.approx(sum((a - b) ** 2 for a, b in zip(given, known, strict=True)) / 4, rel=1e-5)
    assert found["pearson"] > 0.8
    assert found["mae"] < 1
    assert -1 <= found["spearman"] <= 1


PAIR = {"prompt": "Where does the swift sleep?", "rejected": "Nobody knows."}


def evaluated(pod: Any, rows: list[Any], suite: Any, is_adapter: bool) -> tuple[list[Any], list[Any]]:
    """The records and results of an EvalRun of the pod's artifact."""
    data = pod.root / "swiftlet" / "data" / "0" / "asked.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    base = {"uri": "hf://org/tiny", "path": "/swiftlet/models/tiny"}
    artifact = "/swiftlet/artifacts/bird/artifact"
    document = {
        "kind": "EvaluateDocument",
        "name": "judge",
        "namespace": "default",
        "uid": "2",
        "target": {"model": base, "adapterPath": artifact} if is_adapter else {"model": {**base, "path": artifact}},
        "suites": [{"name": "asked", **suite, "path": "/swiftlet/data/0/asked.jsonl"}],
        "outputDir": "/swiftlet/artifacts/judge",
        "reportUri": "pvc://artifacts/judge",
        "batchSize": 3,
        "seed": 1,
        "useGpu": False,
    }
    (pod.root / "swiftlet" / "job" / "evaluate.json").write_text(json.dumps(document))
    assert evaluate("/swiftlet/job/evaluate.json") == 0
    output = pod.root / "swiftlet" / "artifacts" / "judge"
    message = json.loads((output / "outcome.json").read_text())["message"]
    assert message["lastLines"].endswith("\nphase message=writing the report")
    records = [json.loads(line) for line in (output / "rows.jsonl").read_text().splitlines()]
    return records, json.loads((output / "results.json").read_text())["results"]
