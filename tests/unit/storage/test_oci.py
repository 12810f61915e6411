import re

import pytest
from swiftlet.api.schema.structural import structural_schema
from swiftlet.api.v1alpha1 import object_storage
from swiftlet.api.v1alpha1.computeprofile import Storage
from swiftlet.api.v1alpha1.finetunejob import FineTuneJobSpec
from swiftlet.api.v1alpha1.uris import MODEL_URI_PATTERN, parse_uri, written_uri
from swiftlet.kinds.references.sources import locate_model
from swiftlet.storage.mount import Fetched
from swiftlet.storage.oci import Oci
from swiftlet.storage.uri import Uri

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("oci://registry.example/team/birds:v1", ("registry.example", "team/birds", "v1")),
        ("oci://127.0.0.1:5000/birds:v1", ("127.0.0.1:5000", "birds", "v1")),
        (f"oci://registry:5000/team/birds@{DIGEST}", ("registry:5000", "team/birds", DIGEST)),
        ("oci://registry/birds", ("registry", "birds", None)),
    ],
)
def test_it_is_taken_apart(text: str, parts: tuple[str, str, str | None]) -> None:
    assert parse_uri(text) == Uri("oci", *parts)
    assert bool(re.fullmatch(MODEL_URI_PATTERN, text)) == (parts[2] is not None), "a model has a tag or a digest"


def test_a_digest_is_no_place_to_write_to() -> None:
    export = structural_schema("FineTuneJob")["properties"]["spec"]["properties"]["export"]
    pattern = export["properties"]["uri"]["pattern"]
    assert FineTuneJobSpec.model_fields["export"].default is None
    assert re.fullmatch(pattern, "oci://registry/birds") and re.fullmatch(pattern, "oci://registry/birds:v1")
    assert not re.fullmatch(pattern, f"oci://registry/birds@{DIGEST}")


def test_the_tag_is_the_documents_or_the_runs_own() -> None:
    assert written_uri("oci://registry/birds:v1", "bird-12345678", "artifact") == "oci://registry/birds:v1"
    assert written_uri("oci://registry/birds", "bird-12345678", "artifact") == "oci://registry/birds:bird-12345678"


@pytest.mark.parametrize("mark", [":v1", f"@{DIGEST}"])
def test_it_is_fetched_into_a_volume_of_the_pods_own(mark: str) -> None:
    found = locate_model(f"oci://registry:5000/team/birds{mark}", "model", Storage())
    (mount,) = found.mounts
    assert mount.fetched == Fetched(f"oci://registry:5000/team/birds{mark}", "/swiftlet/sources/model/")
    assert mount.source == {"emptyDir": {"sizeLimit": "200Gi"}} and found.model.path == mount.path


def test_credentials_come_by_reference() -> None:
    assert Oci().environment(Storage()) == Oci().environment(Storage(oci=object_storage.Registries())) == []
    settings = object_storage.Registries(secret_name="login", plain_http=True)
    ref = {"name": "login", "key": ".dockerconfigjson"}
    assert Oci().environment(Storage(oci=settings)) == [
        {"name": "SWIFTLET_REGISTRY_PLAIN_HTTP", "value": "true"},
        {"name": "SWIFTLET_REGISTRY_CONFIG", "valueFrom": {"secretKeyRef": ref}},
    ]
