"""What `helm test` runs inside the cluster: the operator answers, and the API server knows and checks its kinds."""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
JOB = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "FineTuneJob",
    "metadata": {"name": "helm-test"},
    "spec": {"model": {"uri": "hf://org/model"}, "datasets": [{"uri": "configmap://data/rows.jsonl"}]},
}


def call(request, context=None):
    """(status, body) of a request; 4xx and 5xx are answers too."""
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:  # noqa: S310 (our own addresses)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def create(job):
    """Create a FineTuneJob as far as --dry-run=server does: checked, completed with defaults, not stored."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    address = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    headers = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}", "Content-Type": "application/json"}
    path = f"/apis/swiftlet.dev/v1alpha1/namespaces/{(ACCOUNT / 'namespace').read_text()}/finetunejobs?dryRun=All"
    request = urllib.request.Request(address + path, json.dumps(job).encode(), headers)  # noqa: S310
    return call(request, ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")))


def check(what, passed, answer):
    """Say how it went; False when it did not pass."""
    print(f"{'ok' if passed else 'FAILED'}: {what}" + ("" if passed else f": {answer}"), flush=True)  # noqa: T201
    return passed


def main(operator):
    """0 when all is well."""
    ready, metrics = call(f"{operator}/readyz"), call(f"{operator}/metrics")
    good = create(JOB)
    bad = create({**JOB, "spec": {**JOB["spec"], "tuner": {"lora": {"rank": 0}}}})
    return (
        0
        if all(
            [
                check("the operator is ready", ready[0] == 200, ready),
                check("the operator has metrics", "swiftlet_leader" in metrics[1], metrics[0]),
                check("a FineTuneJob is accepted", good[0] == 201 and '"warmupRatio"' in good[1], good),
                check("a wrong FineTuneJob is refused", bad[0] == 422 and "spec.tuner.lora.rank" in bad[1], bad),
            ]
        )
        else 1
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
