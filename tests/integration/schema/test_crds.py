"""The CRDs themselves: accepted, established, explained, and named as the documentation says."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api import GROUP, KINDS, VERSION
from swiftlet.api.schema.crd import crd
from swiftlet.api.schema.structural import structural_schema

REPOSITORY = Path(__file__).parents[3]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_established_with_the_generated_schema_and_nothing_is_dropped(kind: str, control_plane: Any) -> None:
    wanted = crd(kind)
    done = control_plane.kubectl("get", "crd", wanted["metadata"]["name"], "-o", "json")
    found = json.loads(done.stdout)
    conditions = {condition["type"]: condition for condition in found["status"]["conditions"]}
    assert conditions["Established"]["status"] == conditions["NamesAccepted"]["status"] == "True"
    assert "NonStructuralSchema" not in conditions
    (version,), (generated,) = found["spec"]["versions"], wanted["spec"]["versions"]
    assert version["schema"] == generated["schema"]
    assert version["additionalPrinterColumns"] == generated["additionalPrinterColumns"]


def _explained(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("kind", KINDS)
def test_kubectl_explain_shows_each_description(kind: str, control_plane: Any) -> None:
    spec = structural_schema(kind)["properties"]["spec"]
    blocks = {("spec",): spec} | {
        ("spec", name): part for name, part in spec["properties"].items() if part.get("type") == "object"
    }
    for path, block in blocks.items():
        said = _explained(control_plane.kubectl("explain", ".".join((kind.lower(), *path))).stdout)
        assert _explained(block["description"]) in said
        for name, part in block.get("properties", {}).items():
            assert _explained(part["description"]) in said, (path, name)


def test_kubectl_explain_names_types_and_enums(control_plane: Any) -> None:
    said = _explained(control_plane.kubectl("explain", "ftj.spec.training.lrScheduler").stdout)
    assert "lrScheduler <string>" in said
    assert "ENUM: linear cosine constant" in said
    assert "Shape after warm-up." in said


def test_short_names_and_the_category_find_every_kind(control_plane: Any, server: Any, base: Any, stored: Any) -> None:
    for document in base.values():
        stored(document)
    wanted = {f"{kind.kind_name.lower()}.{GROUP}/bird" for kind in KINDS.values()}
    by_category = control_plane.kubectl("get", "swiftlet", "-n", server.namespace, "-o", "name").stdout
    shorts = ",".join(kind.short_name for kind in KINDS.values())
    by_short = control_plane.kubectl("get", shorts, "-n", server.namespace, "-o", "name").stdout
    assert set(by_category.split()) == set(by_short.split()) == wanted


def test_the_group_serves_one_version(control_plane: Any) -> None:
    served = control_plane.kubectl("api-resources", f"--api-group={GROUP}", "--no-headers").stdout.splitlines()
    found = {line.split()[-1]: line.split()[:3] for line in served}
    assert found == {name: [kind.plural, kind.short_name, f"{GROUP}/{VERSION}"] for name, kind in KINDS.items()}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_passes_a_strict_server_dry_run(file: Path, control_plane: Any, server: Any) -> None:
    where = ("--dry-run=server", "--validate=strict", "-n", server.namespace)
    done = control_plane.kubectl("apply", *where, "-f", str(file))
    assert done.stdout.count("(server dry run)") == done.stdout.count("\n") > 0
    assert "Warning" not in done.stderr


def test_the_quickstart_folder_is_applied_as_it_stands(control_plane: Any, namespace: str) -> None:
    where = ("-n", namespace, "-k", str(REPOSITORY / "examples" / "quickstart"))
    dry = control_plane.kubectl("apply", "--dry-run=server", "--validate=strict", *where)
    done = control_plane.kubectl("apply", "--validate=strict", *where)
    assert {line.split()[0] for line in done.stdout.splitlines()} == {
        "configmap/bird-data",
        f"evalrun.{GROUP}/bird",
        f"finetunejob.{GROUP}/bird",
        f"modeldeployment.{GROUP}/bird",
    }
    assert dry.stdout.count("(server dry run)") == 4
    before = _versions(control_plane, namespace)
    control_plane.kubectl("apply", "--validate=strict", *where)
    assert _versions(control_plane, namespace) == before, "applying the same folder again is a change"
    assert control_plane.kubectl("diff", *where).stdout == ""


def _versions(control_plane: Any, namespace: str) -> dict[str, tuple[str, int]]:
    found = json.loads(control_plane.kubectl("get", "swiftlet", "-n", namespace, "-o", "json").stdout)
    return {
        item["kind"]: (item["metadata"]["resourceVersion"], item["metadata"]["generation"])
        for item in found["items"]
        if item["metadata"].get("namespace")
    }


def test_kubectl_refuses_a_typo_and_says_where(control_plane: Any, namespace: str, base: Any) -> None:
    document = json.loads(json.dumps(base["FineTuneJob"]))
    document["spec"]["training"] = {"epoch": 3}
    done = control_plane.kubectl(
        "apply", "--validate=strict", "-n", namespace, "-f", "-", stdin=json.dumps(document), check=False
    )
    assert done.returncode != 0
    assert 'unknown field "spec.training.epoch"' in done.stderr
