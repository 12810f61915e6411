"""The chart's admission policies on a control plane, and what they answer to the operator's account."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testbed.controlplane import ControlPlane
from testbed.programs import program

Object = dict[str, Any]
CHART = Path(__file__).parents[2] / "helm/swiftlet"
ACCOUNT = "system:serviceaccount:swiftlet-system:swiftlet-operator"


@contextmanager
def admission_policies(control_plane: ControlPlane, *values: str) -> Iterator[str]:
    """The policies are there, as the chart has them with `values`; their documents. The API server takes a moment until
    it asks them."""
    settings = ",".join(("admissionPolicy.enabled=true", "registry=registry.example/swiftlet", *values))
    shown = ("--show-only=templates/admissionpolicy.yaml", "--namespace=swiftlet-system")
    command = [str(program("helm")), "template", "swiftlet", str(CHART), f"--set={settings}", *shown]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    control_plane.kubectl("apply", "-f", "-", stdin=text)
    yield text
    control_plane.kubectl("delete", "-f", "-", stdin=text)


def by_the_operator(control_plane: ControlPlane, namespace: str, verb: str, document: Object, *arguments: str) -> str:
    """What the API server answers to the operator's account."""
    given = (verb, "-f", "-", "-n", namespace, f"--as={ACCOUNT}", *arguments)
    done = control_plane.kubectl(*given, stdin=json.dumps(document), check=False)
    return str(done.stdout + done.stderr)
