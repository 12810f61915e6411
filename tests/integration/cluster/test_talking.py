"""chat through the API server's proxy of a Service, whose model's server is played on this machine."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from kubernetes import client
from testbed.controlplane import ControlPlane

Object = dict[str, Any]
PIECES = ["I am ", "an Apus."]
PAUSE = 0.5
API = ("swiftlet.dev", "v1alpha1")


def address() -> str | None:
    """One of this machine's that is not the loopback's, which the API server asks nobody at."""
    found = [one.address for card in psutil.net_if_addrs().values() for one in card if one.family == socket.AF_INET]
    return next((text for text in found if not text.startswith(("127.", "169.254."))), None)


class Model(BaseHTTPRequestHandler):
    """Streams PIECES with a pause between them; another model's name is refused as vLLM does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] != "bird":
            body = json.dumps({"error": {"message": "no such model"}}).encode()
            self.send_response(404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in PIECES:
            self.chunk(f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n")
            time.sleep(PAUSE)
        self.chunk("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def chunk(self, text: str) -> None:
        self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def served(
    custom: client.CustomObjectsApi, kube: client.ApiClient, control_plane: ControlPlane, namespace: str
) -> Iterator[None]:
    """ModelDeployment `bird` that is Ready, and a Service whose endpoint is this machine."""
    host = address()
    if host is None:
        pytest.skip("this machine has the loopback's address alone")
    with ThreadingHTTPServer((host, 0), Model) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        core, ports = client.CoreV1Api(kube), [{"name": "http", "port": port, "protocol": "TCP"}]
        core.create_namespaced_service(namespace, {"metadata": {"name": "bird"}, "spec": {"ports": ports}})
        # The API server's proxy goes to addresses of pods alone.
        pod = _pod_at(core, namespace, host)
        addresses = [{"ip": host, "targetRef": {"kind": "Pod", "namespace": namespace, "name": pod}}]
        core.create_namespaced_endpoints(
            namespace, {"metadata": {"name": "bird"}, "subsets": [{"addresses": addresses, "ports": ports}]}
        )
        head = {"apiVersion": "/".join(API), "kind": "ModelDeployment", "metadata": {"name": "bird"}}
        spec = {"model": {"uri": "hf://org/name"}}
        custom.create_namespaced_custom_object(*API, namespace, "modeldeployments", {**head, "spec": spec})
        condition = {"type": "Ready", "status": "True", "reason": "Available", "message": "", "observedGeneration": 1}
        condition["lastTransitionTime"] = "2026-01-01T00:00:00Z"
        status = {"conditions": [condition], "url": f"http://bird.{namespace}.svc:{port}/v1", "task": "generate"}
        status |= {"servedNames": ["bird", "base"], "observedGeneration": 1}
        custom.patch_namespaced_custom_object_status(*API, namespace, "modeldeployments", "bird", {"status": status})
        _until_reached(control_plane, f"/api/v1/namespaces/{namespace}/services/http:bird:{port}/proxy/")
        yield
        server.shutdown()


def _pod_at(core: client.CoreV1Api, namespace: str, host: str) -> str:
    """The name of a pod that no scheduler takes, whose address is this machine's."""
    spec = {"containers": [{"name": "serve", "image": "none"}], "schedulingGates": [{"name": "swiftlet.dev/test"}]}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "bird-0"}, "spec": spec})
    core.patch_namespaced_pod_status("bird-0", namespace, {"status": {"podIP": host, "podIPs": [{"ip": host}]}})
    return "bird-0"


def _until_reached(control_plane: ControlPlane, path: str) -> None:
    """The API server learns of endpoints by a watch."""
    said = ""
    for _ in range(100):
        said = control_plane.kubectl("get", "--raw", path, check=False).stderr
        if "no endpoints available" not in said:
            return
        time.sleep(0.1)
    raise AssertionError(said)


def test_an_answer_streams_through_the_api_server(
    served: None, swiftlet: Any, person: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[tuple[float, str]] = []
    monkeypatch.setattr(
        "builtins.print", lambda *text, **_options: moments.append((time.monotonic(), "".join(map(str, text))))
    )
    editor = person("editor", "edit", "swiftlet-view")
    code, _, err = swiftlet(editor, "chat", "bird", "--once", "Who are you?")
    assert (code, err) == (0, "")
    assert [text for _, text in moments if text] == PIECES
    assert moments[1][0] - moments[0][0] > PAUSE / 2, "the pieces came together"


def test_what_the_models_server_refuses_is_told_with_its_words(
    served: None, swiftlet: Any, control_plane: ControlPlane
) -> None:
    code, _, err = swiftlet(control_plane.kubeconfig, "chat", "bird", "--model", "base", "--once", "Who are you?")
    assert code == 1
    assert "answered 404: no such model" in err


def test_who_may_not_use_the_proxy_is_told_so(served: None, swiftlet: Any, person: Callable[..., Path]) -> None:
    code, _, err = swiftlet(person("viewer", "view", "swiftlet-view"), "chat", "--once", "Who are you?")
    assert code == 1
    assert "may not create services/proxy in namespace" in err
    assert "--clusterrole=edit" in err
