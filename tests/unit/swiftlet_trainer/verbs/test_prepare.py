import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from swiftlet.wire.messages import EXIT_INVALID, EXIT_OK
from swiftlet_trainer.data.prepared import open_prepared, prepared_folder
from swiftlet_trainer.failures import reporting
from swiftlet_trainer.verbs.prepare import run


def test_the_command_takes_no_torch_makes_the_same_and_leaves_the_counts(
    pod: Any, chat: Callable[..., dict[str, Any]]
) -> None:
    document = pod.document(pod.data("a.jsonl", [chat("q", "a"), chat("q")]))
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "swiftlet_trainer", "prepare", "--job", pod.job(document)],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode == EXIT_OK, done.stderr
    assert pod.termination()["dataset"] == {
        "read": 2,
        "used": 1,
        "evalRows": 0,
        "tokens": open_prepared(document).counts.tokens,
        "dropped": {"no_assistant_turn": 1},
    }
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "transformers" in imported
    assert "torch" not in imported
    folder = prepared_folder(document)
    alone = {file.name: file.read_bytes() for file in folder.iterdir()}
    shutil.rmtree(folder)
    assert run(pod.job(document)) == EXIT_OK
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == alone


def test_bad_data_leaves_every_problem(pod: Any, chat: Callable[..., dict[str, Any]]) -> None:
    good = json.dumps(chat("q", "a"))
    document = pod.document(
        pod.data("a.jsonl", f"{good}\n{{\n"), {"uri": "absent.jsonl", "path": "/swiftlet/data/absent.jsonl"}
    )
    assert reporting(run)(pod.job(document)) == EXIT_INVALID
    failure = pod.termination()["failure"]
    assert failure["reason"] == "InvalidInput"
    lines = failure["message"].splitlines()
    assert lines[0].startswith("a.jsonl:2: malformed JSON at column 2")
    assert lines[1] == "absent.jsonl: no such file; correct the URI, or put the file there"
    assert pod.termination()["dataset"]["read"] == 2


def test_missing_model_is_told_before_anything_is_read(pod: Any, chat: Callable[..., dict[str, Any]]) -> None:
    document = pod.document(
        pod.data("a.jsonl", [chat("q", "a")]), model={"uri": "hf://org/absent", "path": "/swiftlet/models/org/absent"}
    )
    assert reporting(run)(pod.job(document)) == EXIT_INVALID
    assert "model hf://org/absent: " in pod.termination()["failure"]["message"]
    assert not (pod.root / "swiftlet/artifacts").exists()
