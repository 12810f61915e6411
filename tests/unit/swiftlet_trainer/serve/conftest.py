"""Serve documents and adapter folders."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import ServeDocument


@pytest.fixture
def document() -> Callable[..., ServeDocument]:
    """A document with changes: `document(engine="vllm")`."""

    def build(**changes: Any) -> ServeDocument:
        fields = {
            "name": "bird",
            "namespace": "default",
            "model": {"uri": "hf://tiny/base", "path": "/swiftlet/models/tiny"},
            "modelNames": ["base"],
            "engine": "auto",
            "maxModelLength": 2048,
            "port": 8000,
            "healthPort": 8001,
            "useGpu": False,
        }
        return ServeDocument.model_validate(fields | changes)

    return build


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a pod, with a model's config in it."""
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    model = tmp_path / "swiftlet/models/tiny"
    model.mkdir(parents=True)
    config = {"num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "hidden_size": 576}
    (model / "config.json").write_text(json.dumps(config))
    return tmp_path


@pytest.fixture
def adapter_folder(pod: Path) -> Callable[..., str]:
    """An adapter's configuration; returns the folder inside the pod."""

    def build(name: str, **config: Any) -> str:
        folder = pod / "swiftlet/artifacts" / name
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(json.dumps({"r": 16, **config}))
        return f"/swiftlet/artifacts/{name}"

    return build


@pytest.fixture(scope="session")
def random_model(tokenizer: Any) -> Any:
    """A random Llama of one layer that is sure of its answers, and long-winded."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    made = LlamaForCausalLM(LlamaConfig(vocab_size=49152, initializer_range=0.3, eos_token_id=0, **sizes)).eval()
    made.lm_head.weight.data *= 100
    return made


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """`app` behind a real server on a port of this machine; gives its URL."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join(60)


def _config(vocabulary: int) -> Any:
    from transformers import LlamaConfig

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaConfig(vocab_size=vocabulary, initializer_range=0.3, eos_token_id=0, pad_token_id=2, **sizes)


@pytest.fixture(scope="session")
def embedding_model(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random model that makes vectors of 32 numbers, of which 8 and 16 are vectors, too."""
    import torch
    from swiftlet_trainer.models.embedder import Embedder, write_embedder
    from transformers import LlamaModel

    torch.manual_seed(1)
    folder, config = tmp_path_factory.mktemp("embedding") / "model", _config(len(tokenizer))
    config.matryoshka_dimensions = [8, 16]
    LlamaModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_embedder(folder, Embedder("mean"), hidden_size=32, max_length=64)
    return folder


@pytest.fixture(scope="session")
def scoring_model(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folder of a random model with scores: `scoring_model("reward", problem_type="regression")`."""

    @cache
    def make(*labels: str, problem_type: str) -> Path:
        import torch
        from transformers import LlamaForSequenceClassification

        torch.manual_seed(1)
        folder, config = tmp_path_factory.mktemp("scoring") / "model", _config(len(tokenizer))
        config.id2label, config.problem_type = dict(enumerate(labels)), problem_type
        config.label2id = {label: number for number, label in enumerate(labels)}
        LlamaForSequenceClassification(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


LONGEST = 64
"""Tokens of a text that serving_model takes."""


@pytest.fixture(scope="module")
def fp32() -> Iterator[None]:
    """Whatever this machine multiplies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("swiftlet_trainer.hardware.multiplies_bf16", lambda use_gpu: False)
        yield


@contextmanager
def serving_model(folder: Path) -> Iterator[Any]:
    """A client of a real server of the model in `folder`, which makes vectors or scores."""
    import httpx
    from swiftlet_trainer.serve.transformers_app import build_app
    from swiftlet_trainer.serve.transformers_loading import load_engine

    engine = load_engine(folder, ["base"], {}, LONGEST, use_gpu=False)
    with (
        serving(build_app(engine, None)) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield client


def posted(client: Any, path: str, **body: Any) -> dict[str, Any]:
    """What the model called base answers to a request that it takes."""
    answer = client.post(path, json={"model": "base", **body})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content
