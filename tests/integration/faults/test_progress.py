"""POST /progress: who may report, for what, and what is refused. Tokens are TokenRequests of the real API server."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from testbed.scene import Scene

Object = dict[str, Any]
AUDIENCE = "swiftlet-operator"
STEP = {"time": "2026-01-01T00:00:00Z", "type": "progress", "step": 3, "totalSteps": 30, "percent": 10, "loss": "1.25"}


def token_of(scene: Scene, pod: Object | None, audience: str = AUDIENCE) -> str:
    """A token of the namespace's default account, bound to a pod as the kubelet's are, or to nothing."""
    spec: Object = {"audiences": [audience], "expirationSeconds": 600}
    if pod is not None:
        spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", **_named(pod)}
    made = scene.core.create_namespaced_service_account_token("default", scene.namespace, {"spec": spec})
    return str(made.status.token)


def _named(pod: Object) -> Object:
    return {"name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}


@pytest.fixture(scope="module")
def reporting(new_scene: Callable[..., Scene], document: Callable[..., Object]) -> Any:
    """A scene whose operator takes reports, and two running jobs: (scene, {name: (uid, pod)})."""
    scene = new_scene("--no-leader-election", "--progress-url", "http://operator.test:8080/progress")
    jobs = {}
    for name in ("mine", "theirs"):
        uid = scene.create(document(name))["metadata"]["uid"]
        scene.start_pods(uid)
        scene.wait_condition("FineTuneJob", name, "Running", "True")
        jobs[name] = (uid, scene.pods(uid)[0])
    return scene, jobs


def _post(scene: Scene, token: str | None, body: Any = (STEP,), uid: str = "", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    path = f"/progress/{uid}" if uid else "/progress"
    return httpx.post(f"{scene.operator.url}{path}", content=content, headers=headers, trust_env=False, timeout=60)


def _progress(scene: Scene, name: str) -> Object:
    return dict((scene.get("FineTuneJob", name)["status"].get("progress")) or {})


def test_pods_are_told_where_to_report_and_get_a_token_for_it(reporting: Any) -> None:
    _, jobs = reporting
    uid, pod = jobs["mine"]
    env = {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}
    assert env["SWIFTLET_PROGRESS_URL"] == f"http://operator.test:8080/progress/{uid}"
    sources = [s for v in pod["spec"]["volumes"] for s in (v.get("projected") or {}).get("sources", [])]
    assert [source["serviceAccountToken"]["audience"] for source in sources] == [AUDIENCE]


def test_a_report_of_its_own_pod_reaches_the_status(reporting: Any) -> None:
    scene, jobs = reporting
    uid, pod = jobs["mine"]
    answer = _post(scene, token_of(scene, pod), uid=uid)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "intervalSeconds": 2.0})
    scene.wait(lambda: _progress(scene, "mine").get("step") == 3, "the step in the status")
    assert {"totalSteps": 30, "percent": 10, "loss": "1.25"}.items() <= _progress(scene, "mine").items()
    assert _progress(scene, "theirs") == {}


def test_what_transformers_sends_is_understood(reporting: Any) -> None:
    scene, jobs = reporting
    _, pod = jobs["theirs"]
    metrics = [{"name": "loss", "value": "0.75"}, {"name": "current_step", "value": "7"}]
    body = {"trainerStatus": {"progressPercentage": 70, "estimatedRemainingSeconds": 12, "metrics": metrics}}
    assert _post(scene, token_of(scene, pod), body).status_code == 200
    scene.wait(lambda: _progress(scene, "theirs").get("step") == 7, "the step in the status")
    assert {"percent": 70, "etaSeconds": 12, "loss": "0.7500"}.items() <= _progress(scene, "theirs").items()


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "Authorization: Bearer"),
        ("nonsense", "not a ServiceAccount token"),
        ("aaaa.bbbb.cccc", "not a ServiceAccount token"),
        ("x" * 8050, "not a ServiceAccount token"),
    ],
    ids=["none", "nonsense", "forged", "long"],
)
def test_without_a_good_token_nothing_is_taken(reporting: Any, token: str | None, said: str) -> None:
    scene, jobs = reporting
    answer = _post(scene, token, [{**STEP, "step": 99}], uid=jobs["mine"][0])
    assert answer.status_code == 401
    assert said in answer.json()["error"]
    assert _progress(scene, "mine").get("step") != 99


def test_a_token_for_another_audience_is_refused(reporting: Any) -> None:
    scene, jobs = reporting
    answer = _post(scene, token_of(scene, jobs["mine"][1], "https://kubernetes.default.svc"))
    assert (answer.status_code, "audience" in answer.json()["error"]) == (401, True)


def test_a_token_that_is_bound_to_no_pod_is_refused(reporting: Any) -> None:
    scene, _ = reporting
    answer = _post(scene, token_of(scene, None))
    assert (answer.status_code, "bound to a pod" in answer.json()["error"]) == (401, True)


def test_another_jobs_token_is_refused(reporting: Any) -> None:
    scene, jobs = reporting
    answer = _post(scene, token_of(scene, jobs["theirs"][1]), [{**STEP, "step": 98}], uid=jobs["mine"][0])
    assert answer.status_code == 403
    assert "belongs to another resource" in answer.json()["error"]
    assert _progress(scene, "mine").get("step") != 98


def test_a_pod_that_only_wears_the_label_is_refused(reporting: Any) -> None:
    """Whoever may create pods could write any uid into the label; in another namespace it opens nothing."""
    scene, jobs = reporting
    uid, pod = jobs["mine"]
    elsewhere = f"{scene.namespace}-elsewhere"
    scene.core.create_namespace({"metadata": {"name": elsewhere}})
    scene.wait(lambda: bool(scene.core.list_namespaced_service_account(elsewhere).items), "its default account")
    container = {"name": "x", "image": "x"}
    labels = {**pod["metadata"]["labels"], "swiftlet.dev/owner-uid": uid}
    body = {"metadata": {"name": "impostor", "labels": labels}, "spec": {"containers": [container]}}
    made = scene.core.create_namespaced_pod(elsewhere, body)
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "impostor", "uid": made.metadata.uid}
    spec = {"audiences": [AUDIENCE], "expirationSeconds": 600, "boundObjectRef": bound}
    token = scene.core.create_namespaced_service_account_token("default", elsewhere, {"spec": spec}).status.token
    answer = _post(scene, token, [{**STEP, "step": 97}], uid=uid)
    assert answer.status_code == 403
    assert _progress(scene, "mine").get("step") != 97
    scene.core.delete_namespace(elsewhere)


def test_an_oversized_body_is_refused(reporting: Any) -> None:
    scene, jobs = reporting
    token = token_of(scene, jobs["mine"][1])
    answer = _post(scene, token, b'[{"message": "' + b"x" * 70000 + b'"}]')
    assert answer.status_code == 413
    assert "65536" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"7", "must be a JSON array"),
        (b"[7]", "[0]"),
        (json.dumps([{**STEP, "step": -1}]).encode(), "[0].step"),
        (json.dumps([{**STEP, "time": "yesterday"}]).encode(), "RFC 3339"),
        (b'[{"time": "2026-01-01T00:00:00Z", "step": NaN}]', "not JSON"),
        (json.dumps({"trainerStatus": {"metrics": 1}}).encode(), "trainerStatus.metrics"),
    ],
)
def test_a_malformed_body_is_refused_with_the_place(reporting: Any, body: bytes, said: str) -> None:
    scene, jobs = reporting
    answer = _post(scene, token_of(scene, jobs["mine"][1]), body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_a_compressed_body_is_refused(reporting: Any) -> None:
    scene, jobs = reporting
    headers = {"Content-Encoding": "gzip"}
    assert _post(scene, token_of(scene, jobs["mine"][1]), b"\x1f\x8b", **headers).status_code in (400, 415)


def test_a_forged_token_of_our_own_pod_is_refused_and_pods_that_are_not_ours_cost_no_question(reporting: Any) -> None:
    scene, jobs = reporting
    head, payload, signature = token_of(scene, jobs["mine"][1]).split(".")
    forged = ".".join([head, payload, signature[::-1]])
    answer = _post(scene, forged)
    assert (answer.status_code, "not valid" in answer.json()["error"]) == (401, True)
    body = {"metadata": {"name": "stranger"}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    made = scene.core.create_namespaced_pod(scene.namespace, body)
    bound = {"metadata": {"name": "stranger", "uid": made.metadata.uid}}
    scene.proxy.clear()
    assert _post(scene, token_of(scene, bound)).status_code == 403
    assert [call for call in scene.proxy.calls if call.resource == "tokenreviews"] == []


def test_after_all_that_it_still_takes_a_good_report(reporting: Any) -> None:
    scene, jobs = reporting
    uid, pod = jobs["mine"]
    assert _post(scene, token_of(scene, pod), [{**STEP, "step": 4}], uid=uid).status_code == 200
    scene.wait(lambda: _progress(scene, "mine").get("step") == 4, "the step in the status")
    assert httpx.get(f"{scene.operator.metrics_url}/healthz", trust_env=False).status_code == 200
