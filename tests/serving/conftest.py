"""A pod that serves: the verb as a process, on free ports, with a tiny model of random weights and an adapter of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from swiftlet_trainer.serve.vllm_health import STALL_VARIABLE

READY_SECONDS = 600
"""Ten times what it takes: a bound for what hangs."""
STALL_SECONDS = 4.0
"""vLLM's step may use no CPU time for so long, for the tests of hanging."""
THOUGHT = {"reasoning_start_str": "<think>", "reasoning_end_str": "</think>"}
"""What vLLM puts behind a thought whose `thinking_token_budget` is spent."""


class ServingPod:
    """A folder that stands for a pod's file system, and the process that serves in it."""

    def __init__(self, root: Path, free_port: Callable[[], int]) -> None:
        self.root, self.process = root, None
        self.port, self.health_port = free_port(), free_port()
        self.log = root / "log"

    def mount(self, at: str, source: Path) -> str:
        """A symlink below the root, as the local engine makes for a volume; returns the path inside the pod."""
        place = self.root / at.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(source)
        return at

    def start(self, **changes: Any) -> "ServingPod":
        """Run the verb on a document with `changes`."""
        document = {
            "kind": "ServeDocument",
            "name": "bird",
            "namespace": "default",
            "model": {"uri": "hf://tiny/base", "path": "/swiftlet/models/tiny"},
            "modelNames": ["base"],
            "engine": "transformers",
            "maxModelLength": 256,
            "port": self.port,
            "healthPort": self.health_port,
            "useGpu": False,
            **changes,
        }
        job = self.root / "swiftlet/job/job.json"
        job.parent.mkdir(parents=True, exist_ok=True)
        job.write_text(json.dumps(document))
        env = {
            **os.environ,
            "SWIFTLET_ROOT": str(self.root),
            "SWIFTLET_PROGRESS_FILE": "/swiftlet/run/progress.jsonl",
            "SWIFTLET_BIND_HOST": "127.0.0.1",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "swiftlet_trainer", "serve", "--job", "/swiftlet/job/job.json"],
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def until_ready(self, seconds: float = READY_SECONDS) -> dict[str, Any]:
        """What /readyz says once it says 200; fails with the log when the process ends or time is up first."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                answer = httpx.get(f"http://127.0.0.1:{self.health_port}/readyz", timeout=5, trust_env=False)
                if answer.status_code == httpx.codes.OK:
                    return answer.json()
                assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            except httpx.TransportError:
                pass  # the port is not bound yet
            time.sleep(0.1)
        raise AssertionError(f"not ready after {seconds} s (exit code {self.process.poll()}):\n{self.log.read_text()}")

    def client(self, key: str | None = None) -> httpx.Client:
        """A client of the API."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60, trust_env=False)

    def end(self, seconds: float = 120) -> int:
        """SIGTERM, as the kubelet does; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return int(self.process.wait(seconds))

    def wait(self, seconds: float = READY_SECONDS) -> int:
        """The exit code of a process that ends by itself."""
        return int(self.process.wait(seconds))

    def failure(self) -> dict[str, Any]:
        """The failure in the termination message."""
        content: dict[str, Any] = json.loads((self.root / "dev/termination-log").read_text())
        return content["failure"]

    def events(self) -> list[dict[str, Any]]:
        """The progress stream."""
        lines = (self.root / "swiftlet/run/progress.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def _pod(root: Path, free_port: Callable[[], int]) -> Iterator[ServingPod]:
    pod = ServingPod(root, free_port)
    yield pod
    if pod.process is not None:
        try:
            pod.end()
        except subprocess.TimeoutExpired:
            pod.process.kill()


@pytest.fixture
def pod(tmp_path: Path, tiny: Path, free_port: Callable[[], int]) -> Iterator[ServingPod]:
    """A pod with the tiny model mounted."""
    for one in _pod(tmp_path, free_port):
        one.mount("/swiftlet/models/tiny", tiny)
        yield one


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, tiny: Path, adapter: Path, free_port: Callable[[], int]
) -> Iterator[ServingPod]:
    """The transformers engine with the tiny model, an adapter of a name with dots, and a key."""
    for one in _pod(tmp_path_factory.mktemp("served"), free_port):
        one.mount("/swiftlet/models/tiny", tiny)
        one.mount("/swiftlet/artifacts/bird", adapter)
        (one.root / "swiftlet/secrets/0").mkdir(parents=True)
        (one.root / "swiftlet/secrets/0/key").write_text("s3cret\n")
        adapters = [{"name": "team/bird.v1", "path": "/swiftlet/artifacts/bird"}]
        one.start(adapters=adapters, apiKeyFile="/swiftlet/secrets/0/key").until_ready()
        yield one


@pytest.fixture(scope="session")
def thinker(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the quickstart's model with two of its spare tokens as <think> and </think>, and a chat template that
    opens a thought where its variable `thinking` is set."""
    folder = tmp_path_factory.mktemp("thinker") / "model"
    folder.mkdir()
    for file in smollm2.iterdir():
        (folder / file.name).symlink_to(file)
    for name, change in (("tokenizer.json", _with_thoughts), ("chat_template.jinja", _opening_thoughts)):
        (folder / name).unlink()
        (folder / name).write_text(change((smollm2 / name).read_text()))
    return folder


def _with_thoughts(tokenizer: str) -> str:
    """They are in texts, as those of models that think are."""
    spare = {"<repo_name>": "<think>", "<reponame>": "</think>"}
    made = json.loads(tokenizer)
    for token in made["added_tokens"]:
        if token["content"] in spare:
            token |= {"content": spare[token["content"]], "special": False}
    made["model"]["vocab"] = {spare.get(token, token): number for token, number in made["model"]["vocab"].items()}
    return json.dumps(made)


def _opening_thoughts(template: str) -> str:
    begin = "{{ '<|im_start|>assistant\n' }}"
    assert begin in template
    return template.replace(begin, begin + "{% if thinking %}{{ '<think>\n' }}{% endif %}{# until </think> #}")


@pytest.fixture(scope="module")
def vllm_served(
    tmp_path_factory: pytest.TempPathFactory, smollm2: Path, thinker: Path, free_port: Callable[[], int]
) -> Iterator[ServingPod]:
    """vLLM with the quickstart's model, which is told of tools in hermes' words and thinks where a request asks it to,
    two adapters of it, and a key."""
    root = tmp_path_factory.mktemp("vllm")
    for one in _pod(root, free_port):
        one.mount("/swiftlet/models/smollm2", thinker)
        names = ("bird", "tern")
        for seed, name in enumerate(names, start=1):
            one.mount(f"/swiftlet/artifacts/{name}", random_adapter(root / f"made-{name}", smollm2, seed))
        (one.root / "swiftlet/secrets").mkdir(parents=True)
        (one.root / "swiftlet/secrets/key").write_text("s3cret")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(STALL_VARIABLE, str(STALL_SECONDS))
            one.start(
                engine="auto",
                model={"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct", "path": "/swiftlet/models/smollm2"},
                adapters=[{"name": name, "path": f"/swiftlet/artifacts/{name}"} for name in names],
                maxModelLength=1024,
                vllm={"maxNumSeqs": 16},
                agentTemplate="hermes",
                reasoningParser="deepseek_v3",
                engineArgs=["--reasoning-config", json.dumps(THOUGHT)],
                apiKeyFile="/swiftlet/secrets/key",
            )
        one.until_ready()
        yield one


@pytest.fixture(scope="session")
def tiny(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a two-layer Llama of random weights with the real tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    folder, tokenizer = tmp_path_factory.mktemp("tiny") / "base", AutoTokenizer.from_pretrained(smollm2)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def random_adapter(folder: Path, model: Path, seed: int) -> Path:
    """A LoRA adapter for `model` whose effect is plain to see."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(model), LoraConfig(r=4, target_modules="all-linear"))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    adapted.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an adapter of the tiny model, without a manifest, as another program writes it."""
    return random_adapter(tmp_path_factory.mktemp("adapter") / "artifact", tiny, seed=3)


@pytest.fixture
def smollm2_adapter(smollm2: Path, tmp_path: Path) -> Path:
    """Folder of an adapter of the quickstart's model."""
    return random_adapter(tmp_path / "made", smollm2, seed=1)
