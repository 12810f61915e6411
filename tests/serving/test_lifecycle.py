"""Start, end and failures of a serving pod, each with its exit code and termination message."""

import json
import os
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.torch import load_file, save_file
from swiftlet.wire.messages import EXIT_ERROR, EXIT_INVALID, EXIT_OK
from swiftlet_trainer.artifact.compatibility import describe_base
from swiftlet_trainer.artifact.manifest import Manifest, write_manifest


def test_engine_does_not_outlive_a_killed_parent(pod: Any) -> None:
    pod.start().until_ready()
    children = psutil.Process(pod.process.pid).children(recursive=True)
    pod.process.kill()
    gone, alive = psutil.wait_procs(children, timeout=60)
    assert gone
    assert not alive


def test_engine_that_is_killed_fails_the_pod(pod: Any) -> None:
    pod.start().until_ready()
    (engine,) = psutil.Process(pod.process.pid).children()
    os.kill(engine.pid, signal.SIGKILL)
    assert pod.wait() == EXIT_ERROR
    failure = pod.failure()
    assert failure["reason"] == "EngineDied"
    assert failure["message"] == "transformers ended with signal SIGKILL"


def test_sigterm_finishes_the_answer_under_way_and_exits_0(pod: Any) -> None:
    pod.start().until_ready()
    children = psutil.Process(pod.process.pid).children(recursive=True)
    assert children
    body = {"model": "base", "prompt": "Once", "max_tokens": 200, "stream": True, "temperature": 1, "seed": 1}
    with pod.client() as client, client.stream("POST", "/v1/completions", json=body) as answer:
        lines = answer.iter_lines()
        next(lines)
        pod.process.send_signal(signal.SIGTERM)
        assert [line for line in lines if line][-1] == "data: [DONE]"
    assert pod.wait() == EXIT_OK
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(("taken", "field"), [("port", "spec.api.port"), ("health_port", "healthPort")])
def test_port_in_use_is_named_at_once(pod: Any, taken: str, field: str) -> None:
    port = getattr(pod, taken)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert pod.start().wait() == EXIT_INVALID
    assert "starting transformers" not in pod.log.read_text(), "told before the model is loaded"
    failure = pod.failure()
    assert failure["reason"] == "PortInUse"
    assert f"port {port} ({field})" in failure["message"]


def test_adapter_of_another_base_is_refused_with_both_digests(
    pod: Any, tiny: Path, adapter: Path, tmp_path: Path
) -> None:
    from swiftlet_trainer.models.loading import model_digest

    folder = pod.root / "swiftlet/artifacts/bird"
    shutil.copytree(adapter, folder)
    other = "sha256:" + "0" * 64
    manifest = Manifest(
        type="adapter",
        name="default/bird",
        base_model=describe_base(tiny, "hf://other/base", None, other),
        data_digest="sha256:0",
        parameters={},
        parameters_digest="sha256:0",
        packages={},
        seed=1,
        steps=1,
    )
    write_manifest(folder, manifest)
    assert pod.start(adapters=[{"name": "bird", "path": "/swiftlet/artifacts/bird"}]).wait() == EXIT_INVALID
    failure = pod.failure()
    assert failure["reason"] == "InvalidInput"
    assert "adapter bird" in failure["message"]
    assert other in failure["message"]
    assert model_digest(tiny) in failure["message"]


@pytest.mark.parametrize(
    ("engine", "module", "change", "told"),
    [
        # What no file of its own contradicts, and the model has no place for: PEFT says so, on loading it.
        ("transformers", "c_attn", {"target_modules": ["c_attn"]}, "Target modules {'c_attn'} not found"),
        ("transformers", "q_proj", {"peft_type": "NONE_OF_OURS"}, "NONE_OF_OURS"),
        # What is read from the files alone is told before any engine starts.
        ("vllm", "q_proj", {"r": 9}, "rank 9, but the weights of"),
        ("vllm", "q_proj", {"peft_type": "NONE_OF_OURS"}, "vllm has no NONE_OF_OURS adapters"),
    ],
)
def test_an_adapter_that_peft_refuses_is_bad_input(
    pod: Any, adapter: Path, engine: str, module: str, change: dict[str, Any], told: str
) -> None:
    folder = pod.root / "swiftlet/artifacts/bird"
    folder.mkdir(parents=True)
    weights = load_file(adapter / "adapter_model.safetensors")
    save_file(
        {name.replace("q_proj", module): one for name, one in weights.items()}, folder / "adapter_model.safetensors"
    )
    config = json.loads((adapter / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | change))
    assert (
        pod.start(engine=engine, adapters=[{"name": "bird", "path": "/swiftlet/artifacts/bird"}]).wait() == EXIT_INVALID
    )
    failure = pod.failure()
    assert failure["reason"] == "InvalidInput"
    assert failure["message"].startswith("adapter bird: ")
    assert told in failure["message"]
    assert failure["message"].partition("; ")[2].split()[0] in ("use", "copy", "set"), "a remedy"


@pytest.mark.parametrize("what", ["another digest", "planted", "changed", "replaced by what has no manifest"])
def test_a_whole_model_that_is_not_what_was_measured_is_not_served(pod: Any, tiny: Path, what: str) -> None:
    folder = pod.root / "swiftlet/artifacts/bird"
    shutil.copytree(tiny, folder)
    about = {"data_digest": "", "parameters": {}, "parameters_digest": "", "packages": {}, "seed": 1, "steps": 1}
    base = describe_base(tiny, "hf://org/base", None, "sha256:0")
    digest = write_manifest(folder, Manifest(type="model", name="default/bird", base_model=base, **about))
    if what == "another digest":
        digest = "sha256:" + "0" * 64
    elif what == "planted":
        (folder / "additional.jinja").write_text("{{ messages }}")
    elif what == "changed":
        (folder / "chat_template.jinja").write_text("{{ messages }}")
    else:
        (folder / "manifest.json").unlink()
    model = {"uri": "pvc://swiftlet-artifacts/bird", "path": "/swiftlet/artifacts/bird", "digest": digest}
    assert pod.start(model=model).wait() == EXIT_INVALID
    assert "/swiftlet/artifacts/bird" in pod.failure()["message"]


def test_everything_wrong_with_a_document_is_told_at_once(pod: Any) -> None:
    code = pod.start(
        model={"uri": "hf://gone/model", "path": "/swiftlet/models/gone"},
        modelNames=["base", "bird"],
        adapters=[{"name": "bird", "path": "/swiftlet/artifacts/bird", "digest": "sha256:abc"}],
        apiKeyFile="/swiftlet/secrets/none",
    ).wait()
    assert code == EXIT_INVALID
    message = pod.failure()["message"]
    for words in (
        "served name bird is given twice",
        "model hf://gone/model",
        "/swiftlet/secrets/none",
        "manifest.json",
    ):
        assert words in message, words


def test_vllm_argument_that_is_ours_is_refused_before_it_starts(pod: Any) -> None:
    assert pod.start(engine="vllm", engineArgs=["--port", "1"]).wait() == EXIT_INVALID
    assert pod.failure()["message"] == "engine.args: --port is not yours to set: set spec.api.port"


def test_vllm_argument_that_does_not_exist_is_refused(pod: Any) -> None:
    assert pod.start(engine="vllm", engineArgs=["--max-num-seq", "4"]).wait() == EXIT_INVALID
    failure = pod.failure()
    assert failure["reason"] == "InvalidInput"
    assert failure["message"] == "engine.args: --max-num-seq: vllm has no such argument; did you mean --max-num-seqs?"


def test_what_vllm_refuses_at_its_start_is_bad_input_in_its_own_words(pod: Any) -> None:
    # The model's context is 512: vllm itself refuses to serve more.
    assert pod.start(engine="vllm", maxModelLength=100_000).wait() == EXIT_INVALID
    failure = pod.failure()
    assert failure["reason"] == "InvalidInput"
    assert "max_model_len" in failure["message"]
    assert len((pod.root / "dev/termination-log").read_bytes()) <= 4096
