"""The command line, as far as it needs no running control plane; tests/integration runs it with one."""

from pathlib import Path

import pytest
from testbed.__main__ import main
from testbed.beds import Bed

pytestmark = pytest.mark.usefixtures("own_root")


def test_help_shows_commands_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(f"\n    {command}" in said for command in ("up", "down", "status", "kubeconfig", "build"))
    assert 'eval "$(python -m testbed up)"' in said


@pytest.mark.parametrize("command", ["down", "kubeconfig"])
def test_a_bed_that_is_not_there_is_told_with_those_that_are(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Bed.create("other")
    assert main([command, "--name", "mine"]) == 1
    assert capsys.readouterr().err == (
        "testbed: there is no bed 'mine' (there are: other); `python -m testbed up --name mine` starts it\n"
    )


def test_status_without_a_bed_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    assert "`python -m testbed up` starts one" in capsys.readouterr().out


def test_down_all_spares_beds_with_a_living_owner(capsys: pytest.CaptureFixture[str]) -> None:
    owned, detached = Bed.create("owned"), Bed.create("detached")
    detached.detach()
    assert main(["down", "--all"]) == 0
    assert capsys.readouterr().err == "testbed: bed 'detached' ended\n"
    assert owned.folder.exists()
    assert not detached.folder.exists()


def test_status_tells_a_process_that_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    bed = Bed.create("mine")
    (bed.folder / "processes" / "etcd.json").write_text('{"pid": 1, "started": 0, "argv": []}')
    assert main(["status"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mine  kubeconfig ")
    assert lines[1].split() == ["etcd", "ended"]


def test_an_unknown_program_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "docker"]) == 1
    assert "builds 'docker'; they build argocd, bridge" in capsys.readouterr().err


def test_paths_of_programs_are_printed(
    own_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_root / "etcd").touch(mode=0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(own_root))
    assert main(["build", "etcd"]) == 0
    assert capsys.readouterr().out == f"{own_root / 'etcd'}\n"
