"""Somebody who does what docs/how-to/kueue.md says, on a real Kueue."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from testbed.operator_process import OperatorProcess
from testbed.programs import program

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "kueue.md"


@dataclass
class Reader:
    """The page in the test's namespace: every name of the page's team and flavor is the namespace's."""

    place: Any
    folder: Path

    @property
    def text(self) -> str:
        return PAGE.read_text().replace("team-a", self.place.namespace).replace("h100", self.place.namespace)

    def blocks(self) -> list[str]:
        """The documents that the page shows."""
        return re.findall(r"(?ms)^```yaml\n(.*?)^```$", self.text)

    def quoted(self) -> str:
        """What the page says that is printed."""
        return " ".join(line.removeprefix("> ") for line in self.text.splitlines() if line.startswith("> "))

    def does(self, command: str) -> str:
        """Run a command of the page; what it prints. Raises AssertionError."""
        assert f"\n    {command}\n" in PAGE.read_text(), f"{PAGE.name} has no command {command!r}"
        kubectl, *arguments = shlex.split(command.replace("team-a", self.place.namespace))
        environment = {**os.environ, "KUBECONFIG": str(self.place.control_plane.kubeconfig)}
        done = subprocess.run(
            [str(program(kubectl)), *arguments],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout


def test_what_the_page_says(
    queue: Any,
    gpu_nodes: list[str],
    operator: OperatorProcess,
    place: Any,
    tmp_path: Path,
    stopped: Callable[[str], None],
) -> None:
    reader = Reader(place, tmp_path)
    bird, queues = reader.blocks()
    (tmp_path / "queues.yaml").write_text(queues)
    (tmp_path / "bird.yaml").write_text(bird)
    reader.does("kubectl apply --server-side -f queues.yaml")
    reader.does("kubectl wait --for=condition=Active localqueue/team-a -n team-a")
    reader.does("kubectl apply -f bird.yaml -n team-a")
    reader.does("kubectl wait --for=condition=QuotaReserved ftj/bird -n team-a")
    assert "bird" in reader.does("kubectl get ftj bird -n team-a")
    document = YAML(typ="safe", pure=True).load(bird)
    place.create({**document, "metadata": {"name": "later"}})
    place.await_condition("FineTuneJob", "later", "QuotaReserved", "False", "Queued")
    waits = """kubectl get ftj later -n team-a -o jsonpath='{.status.conditions[?(@.type=="QuotaReserved")].message}'"""
    place.wait(lambda: reader.does(waits) == reader.quoted(), "what the page quotes")
    reader.does("""kubectl patch ftj bird -n team-a --type=merge -p '{"spec":{"queue":{"name":"team-a"}}}'""")
    urgent = document["spec"] | {"queue": {"name": place.namespace, "priorityClass": "production"}}
    (tmp_path / "urgent.yaml").write_text(json.dumps({**document, "metadata": {"name": "urgent"}, "spec": urgent}))
    reader.does("kubectl apply -f urgent.yaml -n team-a")
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "False", "Preempted")
    stopped("bird")
    reader.does("kubectl wait --for=condition=Suspended ftj/bird -n team-a")
    assert "job-urgent-train-0-" in reader.does("kubectl get workloads -n team-a")
    place.await_condition("FineTuneJob", "urgent", "QuotaReserved", "True", "Admitted")
