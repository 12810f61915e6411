"""A project of Argo CD that lets a team have what Swiftlet needs, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from .conftest import LAYOUT

MAY = (
    "get",
    "sync",
    *(f"action/swiftlet.dev/FineTuneJob/{action}" for action in ("suspend", "resume", "retry")),
    *(f"action/swiftlet.dev/ModelDeployment/{action}" for action in ("suspend", "roll-back", "promote")),
)
MAY_NOT = ("delete", "update", "override", "action/apps/Deployment/restart")


def test_a_project_lets_the_layout_through_and_no_other_kind(bird: Any, reader: Any) -> None:
    bird.edit("project.yaml", "https://git.example/models.git", bird.repository.as_uri())
    bird.edit("project.yaml", "team-a", bird.place.namespace)
    reader.does("kubectl apply -f project.yaml")
    reader.does("sed -i 's/project: default/project: team-a/' application.yaml")
    bird.follow()
    bird.serve("bird-1")
    other = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "other"}}
    YAML().dump(other, bird.checkout / "bird/other.yaml")
    bird.edit("bird/kustomization.yaml", "  - modeldeployment.yaml", "  - modeldeployment.yaml\n  - other.yaml")
    bird.push("Another kind")
    bird.look()
    refused = f"is not permitted in project {bird.place.namespace}"
    bird.place.wait(lambda: refused in json.dumps(bird.app().get("status", {})), "a sync that is refused")


@pytest.mark.parametrize(("rights", "answer"), [(MAY, "Yes"), (MAY_NOT, "No")], ids=["may", "may not"])
def test_its_role_may_do_our_actions_and_change_nothing_past_git(
    argo_cd: Any,
    control_plane: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    rights: tuple[str, ...],
    answer: str,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    (role,) = YAML(typ="safe").load(LAYOUT / "project.yaml")["spec"]["roles"]
    policy = tmp_path / "policy.csv"
    policy.write_text("\n".join(role["policies"]))
    for right in rights:
        asked = ("proj:team-a:trainer", right, "applications", "team-a/bird", f"--policy-file={policy}")
        said = argo_cd.cli("admin", "settings", "rbac", "can", *asked, check=False).stdout
        assert said.strip() == answer, right
    elsewhere = ("proj:team-a:trainer", "get", "applications", "team-b/bird", f"--policy-file={policy}")
    assert argo_cd.cli("admin", "settings", "rbac", "can", *elsewhere, check=False).stdout.strip() == "No"
