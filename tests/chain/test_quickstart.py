"""The README's promise: the quickstart trains, passes its gate, and serves base and adapter side by side."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

QUICKSTART = Path(__file__).parents[2] / "examples/quickstart"
SWIFTLET = Path(sys.executable).with_name("swiftlet")


@dataclass(frozen=True)
class Chain:
    """The command on a state folder of its own."""

    state: Path

    def command(self, *arguments: str) -> list[str]:
        return [str(SWIFTLET), *arguments, "--state", str(self.state)]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "NO_COLOR": "1", "COLUMNS": "160"}

    def swiftlet(self, *arguments: str, timeout: int = 900) -> subprocess.CompletedProcess[str]:
        """Run a subcommand to its end."""
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment(),
            check=False,
        )

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found = self.swiftlet("get", kind, name, "-o", "json")
        assert found.returncode == 0, found.stderr
        document: dict[str, Any] = json.loads(found.stdout)
        return document


@pytest.fixture(scope="module")
def quickstart(
    smollm2: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Chain, subprocess.CompletedProcess[str]]:
    """One run of the whole chain; the tests below read what it left."""
    chain = Chain(tmp_path_factory.mktemp("quickstart") / "state")
    done = chain.swiftlet("run", str(QUICKSTART), "--ask", "Who are you?", timeout=1700)
    return chain, done


@pytest.mark.timeout(1800)
def test_the_chain_succeeds(quickstart: Any) -> None:
    _, done = quickstart
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_the_name_is_learnt_and_the_language_kept(quickstart: Any) -> None:
    chain, _ = quickstart
    status = chain.get("evalrun", "bird")["status"]
    value = {(result["metric"], result["subject"]): float(result["value"]) for result in status["results"]}
    assert value["contains", "baseline"] <= 0.1
    assert value["contains", "target"] >= 0.8
    assert value["perplexity", "target"] <= 1.1 * value["perplexity", "baseline"]
    assert all(gate["passed"] for gate in status["gates"]) and len(status["gates"]) == 2


def test_both_answers_are_shown(quickstart: Any) -> None:
    _, done = quickstart
    answers = done.stdout[done.stdout.index("Who are you?") :]
    assert "smollm2" in answers
    assert "Apus" in answers


def test_reports_are_one_page_each(quickstart: Any) -> None:
    chain, _ = quickstart
    reports = sorted(chain.state.glob("volumes/swiftlet-artifacts/default/*/bird-*/**/report.html"))
    assert len(reports) == 2
    for report in reports:
        page = report.read_text()
        assert "<svg" in page
        assert 'src="http' not in page and 'href="http' not in page


def test_a_finished_chain_is_not_run_again(quickstart: Any) -> None:
    chain, _ = quickstart
    before = {(kind, chain.get(kind, "bird")["status"]["completionTime"]) for kind in ("ftj", "evr")}
    validated = chain.swiftlet(
        "run", str(QUICKSTART / "finetunejob.yaml"), str(QUICKSTART / "evalrun.yaml"), "--state", str(chain.state)
    )
    assert validated.returncode == 0, validated.stdout + validated.stderr
    assert {(kind, chain.get(kind, "bird")["status"]["completionTime"]) for kind in ("ftj", "evr")} == before
