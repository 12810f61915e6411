"""What the command costs before it does anything, and what it says when it is held wrongly."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.local.store import Store

COMMANDS = [
    "run",
    "validate",
    "plan",
    "get",
    "describe",
    "logs",
    "events",
    "chat",
    "compare",
    "delete",
    "crds",
    "version",
]
HEAVY = {"pydantic", "ruamel", "rich", "httpx", "asyncio", "psutil", "cel", "swiftlet.api", "swiftlet.local"}


def imported(*arguments: str) -> set[str]:
    """Modules that a command line imports."""
    code = "import sys; from swiftlet.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    found = imported(*arguments)
    assert "argparse" in found
    assert not HEAVY & found


def test_reading_imports_no_client_and_no_terminal() -> None:
    assert not {"httpx", "rich", "torch"} & imported("crds")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_examples(swiftlet: Any, command: str) -> None:
    done = swiftlet(command, "--help")
    assert done.returncode == 0
    assert f"examples:\n  swiftlet {command}" in done.stdout


def test_exit_codes_are_documented(swiftlet: Any) -> None:
    assert "another swiftlet run works on this state folder" in swiftlet("--help").stdout


def test_no_command_prints_the_help_and_fails(swiftlet: Any) -> None:
    done = swiftlet()
    assert (done.returncode, "commands:" in done.stdout) == (2, True)


def test_an_unknown_command_is_refused(swiftlet: Any) -> None:
    done = swiftlet("trian")
    assert done.returncode == 2
    assert "invalid choice: 'trian'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "command", "said"),
    [
        (["run", "a.yaml", "--tiemout", "5"], "run", "unrecognized arguments: --tiemout 5; did you mean --timeout?"),
        (["get", "--namespce=x", "ftj"], "get", "unrecognized arguments: --namespce=x; did you mean --namespace?"),
        (["logs", "bird", "--zzzzz"], "logs", "unrecognized arguments: --zzzzz"),
        (["descrbe", "ftj"], "", "invalid choice: 'descrbe'"),
        (["descrbe", "ftj"], "", "did you mean describe?"),
        (["--versoin"], "", "unrecognized arguments: --versoin; did you mean --version?"),
    ],
)
def test_the_usage_is_of_the_command_and_the_nearest_word_is_told(
    swiftlet: Any, arguments: list[str], command: str, said: str
) -> None:
    done = swiftlet(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: swiftlet {command}".strip()) and said in done.stderr


def test_the_version_as_an_option_is_that_of_the_command(swiftlet: Any) -> None:
    assert swiftlet("--version").stdout == swiftlet("version").stdout != ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("command", "code"), [("crds", 0), ("get", 0), ("get ftj bird -o yaml", 0), ("describe ftj bird", 0), ("get no", 1)]
)
def test_closed_standard_streams_are_nobody_who_listens(
    failed_state: Path, tmp_path: Path, closed: str, command: str, code: int
) -> None:
    state = "" if command == "crds" else f"--state {failed_state}"
    script = f"{sys.executable} -m swiftlet.cli.main {command} {state} {closed}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == code
    assert "defect" not in done.stderr and "Traceback" not in done.stderr
    assert (done.stdout == "") == (">&-" in closed.replace("2>&-", "") or code != 0)


def test_a_closed_pipe_is_no_failure(swiftlet: Any) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m swiftlet.cli.main crds | head -n 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


def test_what_was_not_named_is_left_alone(swiftlet: Any, tmp_path: Path) -> None:
    state = tmp_path / "state"
    spec = {"model": {"uri": "hf://org/name"}, "datasets": [{"uri": "configmap://data/rows.jsonl"}]}
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "metadata": {"name": "bird"}}
    before = Store(state).apply(defaulted({**head, "spec": spec}))
    profile = tmp_path / "profile.yaml"
    profile.write_text("apiVersion: swiftlet.dev/v1alpha1\nkind: ComputeProfile\nmetadata: {name: small}\nspec: {}\n")
    done = swiftlet("run", profile, "--state", state)
    assert (done.returncode, done.stdout.count("left alone")) == (0, 1), done.stderr
    assert "left alone: finetunejob/bird (run it with its file)" in done.stdout
    assert Store(state, read_only=True).get("FineTuneJob", "default", "bird") == before
