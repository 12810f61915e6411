"""What a shell is told."""

import json
from collections.abc import Callable
from itertools import count, takewhile
from pathlib import Path

import argcomplete
import pytest
from swiftlet.cli.commands.completion import SHELLS
from swiftlet.cli.completing import for_kubectl, name_completers, script
from swiftlet.cli.main import build_parser
from swiftlet.local.store import Store

Complete = Callable[[str], list[str]]


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """The words that a shell would show behind `swiftlet LINE`, without options."""
    state = tmp_path / "state"
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "spec": {}}
    for kind, name in (
        ("FineTuneJob", "bird"),
        ("FineTuneJob", "bee"),
        ("EvalRun", "bird-7b"),
        ("ModelDeployment", "me"),
    ):
        Store(state).apply({**head, "kind": kind, "metadata": {"name": name, "namespace": "default"}})
    monkeypatch.setenv("SWIFTLET_STATE", str(state))
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def found(line: str) -> list[str]:
        parser = build_parser()
        parser.set_defaults(plugin=False)
        name_completers(parser)
        asked = argcomplete.CompletionFinder(parser, always_complete_options=False).rl_complete
        lines = takewhile(bool, (asked(line, state) for state in count()))
        return [str(whole).rstrip().rpartition(" ")[2] for whole in lines]

    return found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pl", ["plan"]),
        ("completion ", list(SHELLS)),
        ("get fine", ["finetunejob"]),
        ("get ftj bi", ["bird"]),
        ("get finetunejob/b", ["finetunejob/bee", "finetunejob/bird"]),
        ("describe evr/", ["evr/bird-7b"]),
        ("describe finetunejob ", ["bee", "bird"]),
        ("delete ftj/bird ftj/be", ["ftj/bee"]),
        ("wait finetunejob bird be", ["bee"]),
        ("chat ", ["me"]),
        ("compare bird-7b b", ["bird-7b"]),
        ("describe nothing ", []),
        ("describe --state /nowhere finetunejob ", []),
    ],
)
def test_words_and_names(complete: Complete, line: str, words: list[str]) -> None:
    assert sorted(complete(line)) == sorted(words)


def test_contexts_are_those_of_the_kubeconfig(
    complete: Complete, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"name": "prod", "context": {"cluster": "c", "user": "u"}}
    config = {"contexts": [named, {**named, "name": "test"}], "clusters": [], "users": [], "current-context": "prod"}
    (tmp_path / "config").write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert complete("--context ") == ["prod", "test"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script_that_asks_swiftlet(shell: str) -> None:
    assert "_ARGCOMPLETE" in script(shell)
    assert "swiftlet" in script(shell)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pl"], ["plan", ":4"]),
        (["get", "ftj", "b"], ["bee", "bird", ":4"]),
        (["describe", "finetunejob/bi"], ["finetunejob/bird", ":4"]),
        (["describe", "nothing", ""], [":4"]),
        (["plan", "exam"], ["examples/", ":6"]),
    ],
)
def test_kubectl_is_answered_in_its_own_form(
    words: list[str], said: list[str], complete: Complete, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "examples").mkdir()
    monkeypatch.chdir(tmp_path)
    # It would take the descriptor 9, which is pytest's here.
    monkeypatch.setattr(argcomplete.CompletionFinder, "_init_debug_stream", lambda _finder: None)
    for name in ("_ARGCOMPLETE", "_ARGCOMPLETE_IFS", "COMP_LINE", "COMP_POINT"):
        monkeypatch.setenv(name, "")
    parser = build_parser("kubectl swiftlet")
    parser.set_defaults(plugin=False)
    assert [line for line in for_kubectl(parser, words).splitlines() if not line.startswith("-")] == said
