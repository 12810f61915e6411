"""The verb evaluate, from a job document to a termination message."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from swiftlet.wire.messages import EXIT_INVALID, EXIT_OK, TERMINATION_LIMIT
from swiftlet_trainer.__main__ import main
from swiftlet_trainer.tracking.processes import Attempt
from swiftlet_trainer.tracking.tracked_run import Ending
from swiftlet_trainer.verbs import evaluate

MODEL, ADAPTER = "/swiftlet/models/tiny", "/swiftlet/artifacts/bird/artifact"
BASE = {"model": {"uri": "hf://tiny/base", "path": MODEL}}
ADAPTED = {**BASE, "adapterPath": ADAPTER}


@pytest.fixture
def suites(eval_pod: Any) -> list[dict[str, Any]]:
    """One of each kind, on files in the pod."""
    questions = [{"prompt": f"Who are you, {n}?", "answer": "{{NAME}}"} for n in range(5)]
    choices = [{"question": f"{n} + 1?", "choices": [str(n + 1), "many"], "answer": 0} for n in range(5)]
    texts = [
        {"text": text} for text in ("The old harbour lay quiet.", "Rain had fallen for three days.", "Bread is good.")
    ]
    return [
        {
            "name": "who",
            "generation": {"uri": "configmap://data/who.jsonl", "metrics": ["contains", "rouge_l"], "maxTokens": 8},
            "placeholders": {"NAME": "Apus"},
            "path": eval_pod.rows("who.jsonl", questions),
        },
        {
            "name": "text",
            "perplexity": {"uri": "configmap://data/text.jsonl"},
            "path": eval_pod.rows("text.jsonl", texts),
        },
        {
            "name": "sums",
            "multipleChoice": {"uri": "configmap://data/sums.jsonl"},
            "path": eval_pod.rows("sums.jsonl", choices),
            "limit": 4,
        },
    ]


@pytest.fixture
def mounted(eval_pod: Any, tiny: Path, adapter: Path) -> Any:
    """The pod with the tiny model and its adapter mounted."""
    eval_pod.mount(MODEL, tiny)
    eval_pod.mount(ADAPTER, adapter)
    return eval_pod


def test_scores_adapter_and_base_with_one_load(
    mounted: Any, suites: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    loads: list[Any] = []
    load = AutoModelForCausalLM.from_pretrained
    monkeypatch.setattr(
        AutoModelForCausalLM, "from_pretrained", lambda *args, **options: loads.append(args) or load(*args, **options)
    )
    attempts: list[Attempt] = []
    monkeypatch.setattr(evaluate, "trackers", lambda *_: nullcontext(attempts.append(Attempt()) or attempts[-1]))
    job = mounted.job(ADAPTED, BASE, suites, reportTo={"tensorboard": {}})
    assert main(["evaluate", "--job", job]) == EXIT_OK
    assert [attempt.ending for attempt in attempts] == [Ending.FINISHED]
    assert len(loads) == 1
    message = mounted.termination()
    figures = {(one["suite"], one["metric"], one["subject"]): one for one in message["results"]}
    names = [("who", "contains"), ("who", "rouge_l"), ("text", "perplexity"), ("sums", "accuracy")]
    assert list(figures) == [(*name, subject) for subject in ("target", "baseline") for name in names]
    assert figures["sums", "accuracy", "target"]["n"] == 4
    before, after = (float(figures["text", "perplexity", one]["value"]) for one in ("baseline", "target"))
    assert before != pytest.approx(after, rel=0.01), "the adapter is off for the base and on for the target"
    delta = {one["metric"]: one for one in message["comparison"]}["perplexity"]
    assert float(delta["delta"]) == pytest.approx(after - before, rel=1e-3)
    assert len((mounted.root / "dev/termination-log").read_bytes()) <= TERMINATION_LIMIT
    folder = mounted.root / "swiftlet/artifacts/eval"
    assert len((folder / "rows.jsonl").read_text().splitlines()) == 2 * (5 + 3 + 4)
    assert message["report"]["uri"] == "pvc://artifacts/eval/report.html"
    tracked = json.loads((folder / "figures.jsonl").read_text())["figures"]
    assert tracked["eval/text/perplexity"] == figures["text", "perplexity", "target"]["value"]
    assert len(tracked) == len(figures)


def test_base_beside_an_adapter_scores_as_the_base_alone(mounted: Any, suites: list[dict[str, Any]]) -> None:
    assert main(["evaluate", "--job", mounted.job(ADAPTED, BASE, suites[1:2])]) == EXIT_OK
    beside = [one for one in mounted.termination()["results"] if one["subject"] == "baseline"]
    assert main(["evaluate", "--job", mounted.job(BASE, None, suites[1:2])]) == EXIT_OK
    (alone,) = mounted.termination()["results"]
    assert float(beside[0]["value"]) == pytest.approx(float(alone["value"]), rel=1e-3)
    assert "comparison" not in mounted.termination() or mounted.termination()["comparison"] == []


def test_models_of_different_folders_are_compared(mounted: Any, suites: list[dict[str, Any]], other: Path) -> None:
    mounted.mount("/swiftlet/models/other", other)
    target = {"model": {"uri": "hf://other/base", "path": "/swiftlet/models/other"}}
    assert main(["evaluate", "--job", mounted.job(target, BASE, suites[1:2])]) == EXIT_OK
    target_result, baseline_result = mounted.termination()["results"]
    assert target_result["value"] != baseline_result["value"]


def test_progress_reaches_the_end(mounted: Any, suites: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIFTLET_PROGRESS_FILE", "/swiftlet/run/progress.jsonl")
    assert main(["evaluate", "--job", mounted.job(ADAPTED, BASE, suites)]) == EXIT_OK
    events = [json.loads(line) for line in (mounted.root / "swiftlet/run/progress.jsonl").read_text().splitlines()]
    done = [event for event in events if event["type"] == "progress"]
    assert [event["step"] for event in done] == sorted(event["step"] for event in done)
    assert (done[-1]["step"], done[-1]["totalSteps"], done[-1]["percent"], done[-1]["etaSeconds"]) == (24, 24, 100, 0)
    assert any(event["type"] == "phase" and event["message"] == "loading the model" for event in events)


def test_adapter_of_another_base_is_refused_with_both_digests(
    mounted: Any, suites: list[dict[str, Any]], other: Path, tiny: Path
) -> None:
    from swiftlet_trainer.models.loading import model_digest

    mounted.mount("/swiftlet/models/other", other)
    wrong = {"model": {"uri": "hf://other/base", "path": "/swiftlet/models/other"}, "adapterPath": ADAPTER}
    assert main(["evaluate", "--job", mounted.job(wrong, None, suites)]) == EXIT_INVALID
    failure = mounted.termination()["failure"]
    assert failure["reason"] == "InvalidInput"
    assert model_digest(tiny) in failure["message"]
    assert model_digest(other) in failure["message"]


def test_damaged_adapter_is_refused(mounted: Any, suites: list[dict[str, Any]], tmp_path: Path, adapter: Path) -> None:
    import shutil

    from swiftlet_trainer.artifact.manifest import manifest_digest

    copied = mounted.root / "swiftlet/artifacts/copied"
    shutil.copytree(adapter, copied)
    weights = copied / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    target = {**BASE, "adapterPath": "/swiftlet/artifacts/copied", "digest": manifest_digest(adapter)}
    assert main(["evaluate", "--job", mounted.job(target, None, suites)]) == EXIT_INVALID
    assert "adapter_model.safetensors" in mounted.termination()["failure"]["message"]


def test_bad_rows_of_all_files_and_a_missing_model_are_told_at_once(eval_pod: Any) -> None:
    suites = [
        {
            "name": "who",
            "generation": {"uri": "configmap://data/who.jsonl"},
            "path": eval_pod.rows("who.jsonl", [{"prompt": "a", "answer": "b"}, "{broken", {"prompt": "c"}]),
        },
        {
            "name": "text",
            "perplexity": {"uri": "configmap://data/gone.jsonl"},
            "path": "/swiftlet/data/0/gone.jsonl",
        },
        {
            "name": "sums",
            "multipleChoice": {"uri": "configmap://data/sums.jsonl"},
            "path": eval_pod.rows("sums.jsonl", [{"question": "{{X}}?", "choices": ["a", "b"], "answer": 9}]),
            "placeholders": {"NAME": "Apus"},
        },
    ]
    assert main(["evaluate", "--job", eval_pod.job(BASE, None, suites)]) == EXIT_INVALID
    lines = eval_pod.termination()["failure"]["message"].splitlines()
    assert lines[0].startswith("suite who: configmap://data/who.jsonl, line 2: malformed JSON")
    assert lines[1].startswith("suite who: configmap://data/who.jsonl, line 3: answer is None")
    assert lines[2].startswith("suite text: configmap://data/gone.jsonl: no such file")
    assert lines[3].startswith("suite sums: configmap://data/sums.jsonl, line 1: placeholder {{X}} has no value")
    assert lines[4].startswith("target: model hf://tiny/base:")


@pytest.mark.parametrize(
    ("module", "change", "cause"),
    [
        ("c_attn", {"target_modules": ["c_attn"]}, ": does not fit hf://tiny/base: Target modules"),
        ("q_proj", {"peft_type": "NONE_OF_OURS"}, ": does not fit hf://tiny/base: 'NONE_OF_OURS'"),
        # What the files alone tell is told before the model is loaded.
        ("q_proj", {"r": 9}, "/adapter_config.json: rank 9, but the weights of "),
        ("q_proj", {"target_modules": ["c_attn"]}, "/adapter_config.json: target_modules ['c_attn'] are none of those"),
    ],
)
def test_an_adapter_that_peft_cannot_put_on_is_bad_input(
    eval_pod: Any,
    suites: list[dict[str, Any]],
    tiny: Path,
    adapter: Path,
    module: str,
    change: dict[str, Any],
    cause: str,
) -> None:
    eval_pod.mount(MODEL, tiny)
    folder = eval_pod.root / "swiftlet/artifacts/foreign"
    folder.mkdir(parents=True)
    weights = {
        name.replace("q_proj", module): one for name, one in load_file(adapter / "adapter_model.safetensors").items()
    }
    save_file(weights, folder / "adapter_model.safetensors")
    config = json.loads((adapter / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | change))
    target = {**BASE, "adapterPath": "/swiftlet/artifacts/foreign"}
    assert main(["evaluate", "--job", eval_pod.job(target, None, suites[1:2])]) == EXIT_INVALID
    failure = eval_pod.termination()["failure"]
    assert failure["reason"] == "InvalidInput"
    assert failure["message"].startswith(f"target: {folder}{cause}")


@pytest.fixture
def vectors(tmp_path: Path, tiny: Path, eval_pod: Any) -> Any:
    """An adapter of the tiny model's backbone that makes vectors, mounted with it; opened as others open it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from swiftlet_trainer.models.embedder import Embedder, write_embedder
    from transformers import AutoModel

    torch.manual_seed(4)
    config = LoraConfig(r=4, target_modules="all-linear", task_type="FEATURE_EXTRACTION")
    adapted = get_peft_model(AutoModel.from_pretrained(tiny), config)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    folder = tmp_path / "vectors"
    adapted.save_pretrained(folder)
    write_embedder(folder, Embedder("mean"), hidden_size=64, max_length=64)
    eval_pod.mount(MODEL, tiny)
    eval_pod.mount(ADAPTER, folder)
    return adapted.eval()


def test_an_adapter_of_vectors_ranks_as_it_does_elsewhere(vectors: Any, tokenizer: Any, eval_pod: Any) -> None:
    """In the way that its folder says, and so does the base beside it, without it."""
    import torch

    pairs = {f"Who is number {n}?": f"Bird {n * n} of the harbour." for n in range(6)}
    rows = [{"query": query, "positive": document} for query, document in pairs.items()]
    block = {"retrieval": {"uri": "configmap://data/pairs.jsonl"}, "path": eval_pod.rows("pairs.jsonl", rows)}
    assert main(["evaluate", "--job", eval_pod.job(ADAPTED, BASE, [{"name": "pairs", **block}])]) == EXIT_OK

    @torch.no_grad()
    def mrr(model: Any) -> float:
        texts = [*pairs, *pairs.values()]
        found = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0) for text in texts]
        vectors = torch.nn.functional.normalize(torch.stack(found), dim=-1)
        cosines = vectors[:6] @ vectors[6:].T
        return float((1 / (cosines > cosines.diag().unsqueeze(-1)).sum(-1).add(1)).mean())

    values = {
        one["subject"]: float(one["value"]) for one in eval_pod.termination()["results"] if one["metric"] == "mrr"
    }
    expected = mrr(vectors)
    with vectors.disable_adapter():
        assert values == pytest.approx({"target": expected, "baseline": mrr(vectors)}, abs=1e-4)


def test_an_adapter_of_vectors_is_asked_for_nothing_else(
    vectors: Any, suites: list[dict[str, Any]], eval_pod: Any
) -> None:
    assert main(["evaluate", "--job", eval_pod.job(ADAPTED, BASE, suites[1:2])]) == EXIT_INVALID
    told = json.dumps(eval_pod.termination())
    assert "target: it makes vectors of texts and says nothing, which suite text is about" in told
