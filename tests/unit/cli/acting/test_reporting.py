"""How a page is had; the commands for a cluster are for kubectl, which tests/integration/cluster lets judge them."""

from pathlib import Path
from typing import Any

import pytest
from swiftlet.cli.acting.reporting import copied, how_to_fetch
from swiftlet.cli.main import main
from swiftlet.cli.places import report_uri
from swiftlet.local.store import Store

Object = dict[str, Any]
RUN: Object = {"kind": "EvalRun", "metadata": {"name": "bird", "namespace": "team"}}
URI = "pvc://artifacts/team/bird/report.html"


def pod(phase: str, **mount: Any) -> Object:
    mounts = [{"name": "artifacts", "mountPath": "/artifacts", **mount}]
    spec = {
        "containers": [{"name": "serve", "image": "registry/trainer:1", "volumeMounts": mounts}],
        "volumes": [{"name": "artifacts", "persistentVolumeClaim": {"claimName": "artifacts"}}],
    }
    return {"metadata": {"name": "bird-serve-1"}, "spec": spec, "status": {"phase": phase}}


def test_a_running_pod_that_mounts_the_volume_is_asked() -> None:
    said = how_to_fetch(RUN, URI, [pod("Succeeded"), pod("Running", subPath="team/other"), pod("Running")])
    assert said.splitlines() == [
        "the page is team/bird/report.html on PersistentVolumeClaim artifacts of namespace team;"
        " pod bird-serve-1 mounts it, so this fetches it:",
        "  kubectl exec -n team bird-serve-1 -c serve -- cat /artifacts/team/bird/report.html > evalrun-bird.html",
    ]


@pytest.mark.parametrize(
    ("pods", "image"),
    [
        ([pod("Succeeded")], "registry/trainer:1"),
        ([pod("Running", subPath="team/other")], "registry/trainer:1"),
        ([], "busybox:stable"),
    ],
)
def test_else_a_pod_is_made(pods: list[Object], image: str) -> None:
    said = how_to_fetch(RUN, URI, pods)
    assert "no running pod mounts it" in said
    assert f'"image": "{image}"' in said
    assert "\nkubectl exec -n team bird-report -- cat /report/team/bird/report.html > evalrun-bird.html\n" in said


def test_pages_are_copied_to_a_file_or_into_a_folder(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("page")
    (tmp_path / "folder").mkdir()
    for to, where in (("page.html", "page.html"), ("folder", "folder/report.html")):
        assert copied([tmp_path / "report.html"], tmp_path / to) == [tmp_path / where]
        assert (tmp_path / where).read_text() == "page"


@pytest.mark.parametrize(
    ("kind", "status", "uri"),
    [
        ("EvalRun", {"report": {"uri": URI}}, URI),
        ("FineTuneJob", {"artifact": {"uri": "pvc://a/team/bird/artifact"}}, "pvc://a/team/bird/report/report.html"),
        ("FineTuneJob", {}, None),
        ("EvalRun", {"report": None}, None),
    ],
)
def test_where_the_page_lies(kind: str, status: Object, uri: str | None) -> None:
    assert report_uri({"kind": kind, "status": status}) == uri


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A FineTuneJob that has ended, and one that has not."""
    store, head = Store(tmp_path), {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "spec": {}}
    for name in ("bird", "bee"):
        store.apply({**head, "metadata": {"name": name, "namespace": "default"}})
    store.update_status(
        "FineTuneJob", "default", "bird", {"artifact": {"uri": "pvc://swiftlet-artifacts/bird/artifact"}}
    )
    page = tmp_path / "volumes/swiftlet-artifacts/bird/report/report.html"
    page.parent.mkdir(parents=True)
    page.write_text("page")
    return tmp_path


def test_the_page_of_a_state_folder(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = state / "volumes/swiftlet-artifacts/bird/report/report.html"
    assert main(["report", "ftj/bird", "--state", str(state)]) == 0
    assert capsys.readouterr().out == f"{page}\n"
    assert main(["report", "ftj", "bird", "--to", str(tmp_path / "bird.html"), "--state", str(state)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'bird.html'}\n"
    assert (tmp_path / "bird.html").read_text() == "page"


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        ("ftj/bee", 1, "finetunejob/bee has left no report yet; `swiftlet describe` says how far it is"),
        ("pod/bird", 2, "reports are of finetunejobs and evalruns; write KIND/NAME"),
        ("bird", 2, "reports are of finetunejobs and evalruns; write KIND/NAME"),
    ],
)
def test_there_is_no_page(
    state: Path, capsys: pytest.CaptureFixture[str], target: str, code: int, message: str
) -> None:
    assert main(["report", target, "--state", str(state)]) == code
    assert capsys.readouterr().err == f"error: {message}\n"
