from typing import Any

from swiftlet.kinds import references


def names(document: dict[str, Any]) -> set[tuple[str, str | None, str]]:
    return {(ref.kind, ref.namespace, ref.name) for ref in references(document)}


def test_what_each_kind_reads(documents: Any) -> None:
    documents["FineTuneJob"]["spec"] |= {
        "model": {"uri": "pvc://models/a"},
        "compute": {"profileRef": {"name": "fast"}},
    }
    assert names(documents["FineTuneJob"]) == {
        ("ConfigMap", "default", "bird-data"),
        ("PersistentVolumeClaim", "default", "models"),
        ("ComputeProfile", None, "fast"),
    }
    assert names(documents["EvalRun"]) == {
        ("FineTuneJob", "default", "bird"),
        ("ConfigMap", "default", "bird-data"),
        ("ComputeProfile", None, "default"),
    }
    documents["ModelDeployment"]["metadata"]["namespace"] = "team"
    documents["ModelDeployment"]["spec"]["api"] = {"apiKey": {"secretRef": {"name": "keys", "key": "token"}}}
    assert names(documents["ModelDeployment"]) == {
        ("FineTuneJob", "team", "bird"),
        ("EvalRun", "team", "bird"),
        ("Secret", "team", "keys"),
        ("ComputeProfile", None, "default"),
    }


def test_a_profile_reads_nothing() -> None:
    assert references({"kind": "ComputeProfile", "metadata": {"name": "default"}}) == set()
