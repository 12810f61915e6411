"""What vLLM itself makes of the arguments for models that make vectors or scores of texts."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask
from swiftlet_trainer.models.embedder import Embedder, write_embedder
from swiftlet_trainer.models.reranker import PairPrompt
from swiftlet_trainer.serve.vllm_arguments import vllm_arguments
from swiftlet_trainer.serve.vllm_pooling import head_problems, pair_template, pooling_arguments

CHECK = """
import json, sys
from swiftlet_trainer.serve.vllm_process import parse
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.model_executor.layers.pooler.activations import get_act_fn
from vllm.model_executor.model_loader import get_model_cls

for name, arguments in json.loads(sys.argv[1]).items():
    config = AsyncEngineArgs.from_cli_args(parse(arguments)).create_model_config()
    print("TOLD", json.dumps([name, {
        "runner": config.runner_type,
        "convert": config.convert_type,
        "class": get_model_cls(config).__name__,
        "pooling": config.pooler_config.seq_pooling_type,
        "length1": config.pooler_config.use_activation,
        "dimensions": config.matryoshka_dimensions,
        "scores": config.hf_config.num_labels,
        "activation": type(get_act_fn(config.hf_config)).__name__,
        "head": str(config.head_dtype),
        "longest": config.max_model_len,
    }]))
"""


@pytest.fixture(scope="module")
def told(
    embedding_model: Path, scoring_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, dict[str, Any]]:
    """One import of vLLM for all models: it takes many seconds."""
    folders = {"mean": embedding_model}
    for pooling in ("last", "cls"):
        folder = folders[pooling] = tmp_path_factory.mktemp(pooling)
        for file in embedding_model.iterdir():
            if file.is_file():
                (folder / file.name).symlink_to(file)
        write_embedder(_own(folder), Embedder(pooling), hidden_size=32, max_length=64)
    for problem_type in ("single_label_classification", "multi_label_classification"):
        folders[problem_type] = scoring_model("no", "yes", "odd", problem_type=problem_type)
    folders["reward"] = scoring_model("reward", problem_type="regression")
    folders["reranker"] = scoring_model("relevance", problem_type="regression")
    asked = {
        name: ["--model", str(folder), "--max-model-len", "64", "--dtype", "float32", *pooling_arguments(folder, head)]
        for name, folder in folders.items()
        for head in ["pool" if name in ("mean", "last", "cls") else "score"]
    }
    done = subprocess.run(
        [sys.executable, "-c", CHECK, json.dumps(asked)],
        capture_output=True,
        text=True,
        env={"VLLM_TARGET_DEVICE": "cpu", "PATH": "", "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("TOLD "))


def _own(folder: Path) -> Path:
    """Without links to the files that are written anew: what is written through one is the other folder's."""
    for name in ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"):
        (folder / name).unlink(missing_ok=True)
    return folder


@pytest.mark.parametrize("pooling", ["mean", "last", "cls"])
def test_vectors_are_pooled_as_their_files_say(told: Any, pooling: str) -> None:
    found = told[pooling]
    assert (found["runner"], found["convert"], found["class"]) == ("pooling", "embed", "LlamaForEmbedding")
    assert (found["pooling"], found["length1"], found["dimensions"]) == (pooling.upper(), True, [8, 16])
    assert (found["head"], found["longest"]) == ("torch.float32", 64)


@pytest.mark.parametrize(
    ("name", "scores", "activation"),
    [
        ("single_label_classification", 3, "PoolerClassify"),
        ("multi_label_classification", 3, "PoolerMultiLabelClassify"),
        ("reward", 1, "PoolerIdentity"),
        ("reranker", 1, "PoolerIdentity"),
    ],
)
def test_scores_are_those_of_the_last_token(told: Any, name: str, scores: int, activation: str) -> None:
    found = told[name]
    assert (found["convert"], found["class"]) == ("classify", "LlamaForSequenceClassification")
    assert (found["pooling"], found["scores"], found["activation"]) == ("LAST", scores, activation)


def test_the_document_says_the_rest(document: Any, embedding_model: Path) -> None:
    arguments = vllm_arguments(document(), embedding_model, "h", head="pool")
    assert arguments[arguments.index("--runner") + 1] == "pooling"
    assert "--runner" not in vllm_arguments(document(), embedding_model, "h")


@pytest.mark.parametrize(
    "block",
    [RerankerTask(), RerankerTask(query_prompt="{{ 'Frage' }}: \"ü\"\n", document_prompt="\\ {% raw %} ")],
    ids=["default", "hostile"],
)
def test_a_pair_is_written_as_it_was_learnt(tokenizer: Any, block: RerankerTask) -> None:
    query, document = "Where does {{ it }} sleep?", " On the wing.\n"
    turns = [{"role": "query", "content": query}, {"role": "document", "content": document}]
    found = tokenizer.apply_chat_template(turns, chat_template=pair_template(block), tokenize=False)
    assert found == PairPrompt(block).text(query, document)


def test_adapters_are_pooled_in_one_way(tmp_path: Path) -> None:
    adapters = {name: tmp_path / name for name in ("bird", "tern", "wren")}
    for folder, pooling in zip(adapters.values(), ("mean", "mean", "last"), strict=True):
        folder.mkdir()
        write_embedder(folder, Embedder(pooling), hidden_size=32, max_length=64)  # type: ignore[arg-type]
    arguments = pooling_arguments(tmp_path, "pool", list(adapters.values()))
    assert arguments == ["--runner", "pooling", "--pooler-config", json.dumps({"seq_pooling_type": "MEAN"})]
    (problem,) = head_problems(adapters, "pool")
    assert problem.startswith("adapter wren: its vectors are pooled otherwise than those of adapter bird")
    assert head_problems(adapters, "tokens") == []
    assert len(head_problems(adapters, "score")) == len(adapters)
