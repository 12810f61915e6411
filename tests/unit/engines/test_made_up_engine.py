"""What a new serving engine costs: it is added to a copy of the sources, and serves what a document asks of it."""

from pathlib import Path

from testbed.sources import SourceCopy

KNOWN = '''
"""parrot: says what it hears."""

from swiftlet.api.v1alpha1.engines.engine import ServingEngine

PARROT = ServingEngine(
    "parrot", start_seconds=5, assumed_weight_bytes=0, allowed_args=frozenset({"--echo"}), has_one_gpu=True
)
'''
STARTED = '''
"""parrot: its server."""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from swiftlet_trainer.serve.engine import EngineProcess, Obstacle, Served


def obstacles(served: Served) -> list[Obstacle]:
    return [Obstacle("parrot has no adapters", "merge them")] if served.adapters else []


def process(served: Served, host: str) -> EngineProcess:
    names = served.document.model_names
    return EngineProcess("parrot", [sys.executable, "-m", __name__, host, str(served.document.port), *names], {})


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer({"data": [{"id": name} for name in sys.argv[3:]]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer({"choices": [{"text": asked["prompt"]}]})

    def answer(self, body: dict) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


if __name__ == "__main__":
    HTTPServer((sys.argv[1], int(sys.argv[2])), Server).serve_forever()
'''
DEPLOYMENT = """
apiVersion: swiftlet.dev/v1alpha1
kind: ModelDeployment
metadata: {name: bird}
spec:
  model: {uri: "hf://org/model"}
  engine: ENGINE
"""
LOOK = """
import socket, threading
from swiftlet.wire.documents import ServeDocument
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.serve.choice import choose_engine, engine_named
from swiftlet_trainer.serve.engine import Served
from swiftlet_trainer.serve.health import State
from swiftlet_trainer.serve.supervisor import Supervisor

objects = json.loads(said("plan", "parrot.yaml", "-o", "json"))["resources"][0]["objects"]
said("crds", "--output", "crds")
told = next(item["data"]["job.json"] for item in objects if item["kind"] == "ConfigMap")
document = ServeDocument.model_validate_json(told)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    document.port = free.getsockname()[1]

def chosen(adapters):
    try:
        return choose_engine(Served(document, "job.json", Path("model"), adapters))
    except InvalidInput as error:
        return str(error)

name, reason = chosen({})
state, stop, phases = State(), threading.Event(), []
def announce(phase):
    phases.append(phase)
    if phase.startswith("serving"):
        stop.set()
process = engine_named(name).process(Served(document, "job.json", Path("model"), {}), "127.0.0.1")
with redirect_stdout(sys.stderr):
    url = f"http://127.0.0.1:{document.port}"
    Supervisor(process, url, None, document.model_names, document.port, state, stop, announce).run()
print(json.dumps({
    "objects": objects, "name": name, "reason": reason, "phases": phases, "adapters": chosen({"a": Path("a")}),
    "arguments": said("plan", "arguments.yaml"), "block": said("plan", "block.yaml"),
    "unknown": said("plan", "unknown.yaml"), "crd": Path("crds/swiftlet.dev_modeldeployments.yaml").read_text(),
}))
"""


def add_engine(root: Path) -> None:
    """Add the engine to the sources below `root`."""
    (root / "swiftlet/api/v1alpha1/engines/parrot.py").write_text(KNOWN)
    (root / "swiftlet_trainer/serve/engines/parrot.py").write_text(STARTED)
    registry = root / "swiftlet/api/v1alpha1/engines/registry.py"
    first = "from swiftlet.api.v1alpha1.engines.transformers"
    listed = registry.read_text().replace("(VLLM, TRANSFORMERS)", "(VLLM, TRANSFORMERS, PARROT)")
    registry.write_text(listed.replace(first, f"from swiftlet.api.v1alpha1.engines.parrot import PARROT\n{first}"))


def test_an_engine_is_two_modules_and_a_word_in_the_registry(tmp_path: Path) -> None:
    sources = SourceCopy(tmp_path)
    add_engine(sources.root)
    assert sources.touched() == {
        "swiftlet/api/v1alpha1/engines/registry.py",
        "swiftlet/api/v1alpha1/engines/parrot.py",
        "swiftlet_trainer/serve/engines/parrot.py",
    }
    for name, engine in {
        "parrot": "{name: parrot, args: [--echo]}",
        "arguments": "{name: parrot, args: [--ecko]}",
        "block": "{name: parrot, vllm: {maxNumSeqs: 4}}",
        "unknown": "{name: gull}",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(DEPLOYMENT.replace("ENGINE", engine))
    seen = sources.look(LOOK)

    server = next(item for item in seen["objects"] if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    probe = server["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] < 60, "its own time to start"
    assert (seen["name"], seen["reason"]) == ("parrot", None)
    assert seen["phases"][0] == "starting parrot" and seen["phases"][-1].startswith("serving bird"), "it answers"
    assert "parrot has no adapters; set spec.engine.name to vllm or transformers, or merge them" in seen["adapters"]
    assert "--ecko is not allowed; did you mean --echo?" in seen["arguments"]
    assert "vllm is for engine vllm: remove it, or set name to vllm or auto" in seen["block"]
    assert "parrot" in seen["unknown"], "people are told of it"
    assert "- parrot" in seen["crd"] and "self.name != 'parrot'" in seen["crd"]
