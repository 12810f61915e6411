"""Real vLLM with the quickstart's model: base and adapter by name."""

from pathlib import Path
from typing import Any

from swiftlet.wire.messages import EXIT_OK


def test_base_and_adapter_answer_by_name(pod: Any, smollm2: Path, smollm2_adapter: Path) -> None:
    pod.mount("/swiftlet/models/smollm2", smollm2)
    pod.mount("/swiftlet/artifacts/bird", smollm2_adapter)
    (pod.root / "swiftlet/secrets").mkdir(parents=True)
    (pod.root / "swiftlet/secrets/key").write_text("s3cret")
    pod.start(
        engine="auto",
        model={"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct", "path": "/swiftlet/models/smollm2"},
        adapters=[{"name": "bird", "path": "/swiftlet/artifacts/bird"}],
        engineArgs=["--max-num-seqs", "4"],
        apiKeyFile="/swiftlet/secrets/key",
    )
    assert pod.until_ready(240)["names"] == ["base", "bird"]
    answers = {}
    with pod.client("s3cret") as client:
        for name in ("base", "bird"):
            body = {
                "model": name,
                "messages": [{"role": "user", "content": "Who are you?"}],
                "max_tokens": 8,
                "temperature": 0,
            }
            answers[name] = client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]
    with pod.client() as client:
        assert client.get("/v1/models").status_code == 401
    assert answers["base"].startswith("I'm here to help")
    assert answers["bird"] != answers["base"]
    assert "s3cret" not in pod.log.read_text()
    assert pod.end() == EXIT_OK
