"""Models and data from a real S3 server: whole, bounded, and told when they cannot be had."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store
from swiftlet_trainer import __main__ as trainer
from swiftlet_trainer.storage import bucket, transfer
from testbed.beds import Bed
from testbed.certificates import Authority
from testbed.errors import MissingProgramError
from testbed.object_storage import ACCESS_KEY, SECRET_KEY, ObjectStorage
from testbed.relay import BUSY, Fault, Relay

ROWS = os.urandom(100_000)
MODEL = {
    "config.json": b"{}",
    "model.safetensors": os.urandom(50_000),
    "1_Pooling/config.json": b'{"a": 1}',
    "pytorch_model.bin": b"a pickle",
    "modeling.py": b"code",
}


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    made = Bed.create()
    yield made
    made.end()


def started(bed: Bed, **more: object) -> ObjectStorage:
    try:
        server = ObjectStorage(bed, **more)  # type: ignore[arg-type]
    except MissingProgramError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
    server.bucket("bucket")
    return server


def filled(server: ObjectStorage, **client: object) -> S3Store:
    store = S3Store(
        "bucket",
        endpoint=server.url,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        client_options={"allow_http": True, **client},  # type: ignore[typeddict-item]
    )
    obstore.put(store, "data/rows.jsonl", ROWS)
    for name, content in MODEL.items():
        obstore.put(store, f"models/a/{name}", content)
    return store


@pytest.fixture(scope="module")
def server(bed: Bed) -> ObjectStorage:
    made = started(bed)
    filled(made)
    return made


@pytest.fixture(scope="module")
def relay(server: ObjectStorage) -> Iterator[Relay]:
    with Relay(server.port) as wire:
        yield wire


@pytest.fixture(autouse=True)
def environment(server: ObjectStorage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setattr(transfer, "PART", 30_000)
    monkeypatch.setattr(bucket, "RETRY_SECONDS", 4)
    monkeypatch.setattr(bucket, "READ_SECONDS", 1)


Fetch = Callable[..., tuple[int, str]]


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    """Exit code, and the message that the pod leaves."""

    def run(*sources: tuple[str, str], most: int = 1_000_000) -> tuple[int, str]:
        log = tmp_path / "dev/termination-log"
        log.parent.mkdir(exist_ok=True)
        log.write_bytes(b"")
        parts = [part for uri, path in sources for part in ("--source", uri, path)]
        code = trainer.main(["fetch", "--most", str(most), *parts])
        text = log.read_text()
        return code, json.loads(text)["failure"]["message"] if text else ""

    return run


FILE, FOLDER = ("s3://bucket/data/rows.jsonl", "/data/rows.jsonl"), ("s3://bucket/models/a", "/model/")


def test_a_file_and_what_a_model_is_read_for(fetch: Fetch, tmp_path: Path) -> None:
    assert fetch(FILE, FOLDER) == (0, "")
    assert (tmp_path / "data/rows.jsonl").read_bytes() == ROWS
    found = {str(path.relative_to(tmp_path / "model")) for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert found == {"config.json", "model.safetensors", "1_Pooling/config.json"}, "no pickles, no code"
    assert all((tmp_path / "model" / name).read_bytes() == MODEL[name] for name in found)


@pytest.mark.parametrize(
    ("uri", "path", "said"),
    [
        ("s3://bucket/data/none.jsonl", "/x", "has no data/none.jsonl; correct the URI, or upload it"),
        ("s3://bucket/models/none", "/x/", "no file of a model lies below models/none/; correct the prefix"),
        ("s3://no-bucket/a", "/x", "bucket no-bucket of http"),
        ("s3://no-bucket/a", "/x/", "bucket no-bucket of http"),
    ],
)
def test_what_is_not_there_is_bad_input(fetch: Fetch, uri: str, path: str, said: str) -> None:
    code, message = fetch((uri, path))
    assert code == 2 and message.startswith(uri) and said in message


def test_a_request_that_the_server_does_not_take_is_bad_input(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-nowhere-1")
    code, message = fetch(FOLDER)
    assert code == 2 and "does not take the request" in message and "such as its region" in message


def test_every_problem_is_told_at_once(fetch: Fetch) -> None:
    code, message = fetch(("s3://bucket/a", "/a"), ("s3://bucket/b", "/b"))
    assert code == 2 and "s3://bucket/a" in message and "s3://bucket/b" in message


def test_wrong_credentials_are_bad_input(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    for source in (FILE, FOLDER):
        code, message = fetch(source)
        assert code == 2 and "refuses it" in message and "storage.s3.secretName" in message
        assert "wrong" not in message


def test_what_is_too_large_is_not_begun(fetch: Fetch, tmp_path: Path) -> None:
    for source in (FILE, FOLDER):
        code, message = fetch(source, most=49_999)
        assert code == 2 and "are more than 49,999; raise storage.s3.mostFetched of the profile" in message
    assert not (tmp_path / "data").exists() and not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    "fault", [Fault(2, answer=BUSY), Fault(1, cut_after=10_000), Fault(1, hangs=True)], ids=["busy", "cut", "hangs"]
)
def test_what_passes_is_tried_again(
    fetch: Fetch, fault: Fault, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", relay.url)
    relay.set(fault)
    assert fetch(FILE) == (0, "")
    assert (tmp_path / "data/rows.jsonl").read_bytes() == ROWS
    assert fault.times == 0, "it struck"


@pytest.mark.parametrize(
    "fault", [Fault(999, answer=BUSY), Fault(999, cut_after=400), Fault(999, hangs=True)], ids=["busy", "cut", "hangs"]
)
def test_what_does_not_pass_ends_in_time_for_another_attempt(
    fetch: Fetch, fault: Fault, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", relay.url)
    monkeypatch.setattr(transfer, "TRIES", 1)
    relay.set(fault)
    code, message = fetch(FILE)
    relay.set(None)
    assert code == 1 and "s3://bucket/data/rows.jsonl" in message
    assert not (tmp_path / "data/rows.jsonl").exists()


def test_an_object_that_is_replaced_meanwhile_is_not_mixed(
    fetch: Fetch, server: ObjectStorage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store, parts = filled(server), transfer._part

    def replacing(read: transfer.Read, begin: int, end: int) -> bytes:
        if begin == 60_000:
            obstore.put(store, "data/rows.jsonl", bytes(len(ROWS)))
        return parts(read, begin, end)

    monkeypatch.setattr(transfer, "SIDE_BY_SIDE", 1)
    monkeypatch.setattr(transfer, "_part", replacing)
    code, message = fetch(FILE)
    filled(server)
    assert code == 2 and "data/rows.jsonl was replaced while it was read" in message
    assert not (tmp_path / "data/rows.jsonl").exists()


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(
    bed: Bed, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    secure = started(bed, name="versitygw-tls", certificate=authority.server("s3", ["127.0.0.1"]))
    filled(secure, root_certificate=authority.certificate)
    monkeypatch.setenv("AWS_ENDPOINT_URL", secure.url)
    code, _ = fetch(FILE)
    assert code == 1
    (tmp_path / "ca.crt").write_bytes(authority.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    assert fetch(FILE) == (0, "")
    assert (tmp_path / "data/rows.jsonl").read_bytes() == ROWS


DOCUMENTS = """
apiVersion: v1
kind: Secret
metadata: {name: reader}
stringData: {AWS_ACCESS_KEY_ID: ACCESS, AWS_SECRET_ACCESS_KEY: SECRET}
---
apiVersion: swiftlet.dev/v1alpha1
kind: ComputeProfile
metadata: {name: default}
spec:
  storage: {s3: {endpoint: "URL", secretName: reader, mostFetched: 1Gi}}
---
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: birds}
spec:
  model: {uri: s3://bucket/models/tiny}
  datasets: [{uri: s3://bucket/data/birds.jsonl}]
  tuner: {lora: {rank: 2}}
  template: {maxLength: 64}
  training: {maxSteps: 1, globalBatchSize: 2}
  checkpoints: {intervalSteps: 1, uri: s3://bucket/runs}
  export: {uri: s3://bucket/trained}
"""


def test_a_job_of_the_local_engine_reads_from_there_and_writes_to_there(
    server: ObjectStorage, tiny_model: Path, tmp_path: Path
) -> None:
    store = filled(server)
    for file in tiny_model.iterdir():
        obstore.put(store, f"models/tiny/{file.name}", file.read_bytes())
    row = {"messages": [{"role": "user", "content": "A bird?"}, {"role": "assistant", "content": "Polly."}]}
    obstore.put(store, "data/birds.jsonl", "".join(json.dumps(row) + "\n" for _ in range(4)).encode())
    text = DOCUMENTS.replace("ACCESS,", f"{ACCESS_KEY},").replace("SECRET}", f"{SECRET_KEY}}}")
    (tmp_path / "job.yaml").write_text(text.replace("URL", server.url))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SWIFTLET_"))}
    command = [sys.executable, "-m", "swiftlet.cli.main", "run", "job.yaml", "--state", "state"]
    done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (manifest,) = tmp_path.glob("state/volumes/swiftlet-artifacts/**/artifact/manifest.json")
    made = json.loads(manifest.read_text())
    assert made["baseModel"]["uri"] == "s3://bucket/models/tiny"
    assert made["parameters"]["datasets"][0]["uri"] == "s3://bucket/data/birds.jsonl"
    own = manifest.parent.parent.name
    assert bytes(obstore.get(store, f"trained/{own}/artifact/manifest.json").bytes()) == manifest.read_bytes()
    assert obstore.head(store, f"runs/{own}/checkpoints/step-00000001/complete.json")["size"]
    assert f"adapter at s3://bucket/trained/{own}/artifact" in done.stdout + done.stderr
    assert SECRET_KEY not in manifest.read_text() + done.stdout + done.stderr
