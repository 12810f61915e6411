"""What of the artifacts volume a pod can write to: its own folder, and nothing else."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from swiftlet.kinds.pods.output_folder import SCRIPT

ARTIFACTS = "swiftlet-artifacts"


def writable(spec: dict[str, Any]) -> dict[str, list[str]]:
    """By container: what it can write to of the artifacts claim, under whatever volume's name."""
    claims = {
        volume["name"] for volume in spec["volumes"] if (volume.get("persistentVolumeClaim") or {}).get("claimName")
    }
    return {
        container["name"]: [
            mount.get("subPath", "all of it")
            for mount in container["volumeMounts"]
            if mount["name"] in claims and not mount.get("readOnly")
        ]
        for container in [*spec.get("initContainers", []), *spec["containers"]]
    }


def test_a_run_writes_to_its_own_folder_only(world: Any, documents: Any) -> None:
    """Its model and its data lie on the artifacts volume too."""
    model, rows = f"pvc://{ARTIFACTS}/default/finetunejobs/other/artifact", f"pvc://{ARTIFACTS}/rows.jsonl"
    world.add(documents["FineTuneJob"], model={"uri": model}, datasets=[{"uri": rows}])
    world.reconcile("FineTuneJob")
    spec = world.objects["Job", "default", "bird-train-0"]["spec"]["template"]["spec"]
    own = "default/finetunejobs/bird-finetune"
    assert writable(spec) == {"folder": ["all of it"], "prepare": [own], "train": [own]}
    folder = spec["initContainers"][0]
    assert folder["command"][:3] == ["sh", "-c", SCRIPT] and folder["command"][3] == f"/swiftlet/artifacts/{own}"
    assert [mount["mountPath"] for mount in folder["volumeMounts"]] == ["/swiftlet/artifacts"]


def test_an_evaluation_writes_to_its_own_folder_only(world: Any, documents: Any) -> None:
    world.data()
    target = {"model": {"uri": f"pvc://{ARTIFACTS}/default/finetunejobs/other/artifact"}}
    world.add(documents["EvalRun"], target=target, baseline=None)
    world.reconcile("EvalRun")
    spec = world.objects["Job", "default", "bird-eval"]["spec"]["template"]["spec"]
    assert writable(spec) == {"folder": ["all of it"], "evaluate": ["default/evalruns/bird-evalrun-"]}


def test_a_server_writes_to_no_claim(world: Any, documents: Any) -> None:
    uri = f"pvc://{ARTIFACTS}/default/finetunejobs/other/artifact"
    world.add(documents["ModelDeployment"], model={"uri": uri}, requires=[])
    world.reconcile("ModelDeployment")
    spec = world.objects["Deployment", "default", "bird-serve"]["spec"]["template"]["spec"]
    assert writable(spec) == {"serve": []}


@pytest.mark.parametrize("root", ["set", "slash", "unset"])
def test_the_script_makes_the_folder_below_the_root(tmp_path: Path, root: str) -> None:
    where = {"set": str(tmp_path), "slash": f"{tmp_path}/", "unset": None}[root]
    env = {name: value for name, value in os.environ.items() if name != "SWIFTLET_ROOT"}
    wanted = "/artifacts/a/b" if where else f"{tmp_path}/artifacts/a/b"
    for _ in range(2):  # pods of one run may both do it
        subprocess.run(
            ["sh", "-c", SCRIPT, wanted, "no"], env=env | ({"SWIFTLET_ROOT": where} if where else {}), check=True
        )
    assert (tmp_path / "artifacts/a/b").is_dir()


def test_what_cannot_be_made_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        ["sh", "-c", SCRIPT, f"{tmp_path}/file/a", 'let "user" $(write)'], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stderr.endswith('let "user" $(write)\n')
