"""get --watch prints what changes, below the table's columns."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from swiftlet.cli.reading.leftstore import LeftStore
from swiftlet.cli.reading.listing import Listing, print_listing, selection, watch
from swiftlet.local.store import Store


def test_a_changed_row_is_printed_again(background: Any, failed_state: Path, tmp_path: Path) -> None:
    state = Path(shutil.copytree(failed_state, tmp_path / "state"))
    watching = background("get", "ftj", "-w", "--state", state)
    try:
        before = watching.wait_for("BackoffLimitExceeded")
        store = Store(state)
        job = store.get("FineTuneJob", None, "bird")
        assert job is not None
        job["status"]["conditions"][0] |= {"status": "True", "reason": "Trained"}
        store.update_status("FineTuneJob", None, "bird", job["status"])
        after = watching.wait_for("Trained")
        assert after.index("Trained") - before.index("BackoffLimitExceeded") == 0
        assert watching.stop() == 130
    finally:
        watching.end()


def test_a_change_before_the_watch_begins_is_not_lost(
    failed_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = Path(shutil.copytree(failed_state, tmp_path / "state"))
    listing = Listing(LeftStore(state), selection("ftj", []), "default", None)
    printed = print_listing(listing)
    store = Store(state)
    job = store.get("FineTuneJob", "default", "bird")
    assert job is not None
    job["status"]["conditions"][0] |= {"status": "True", "reason": "Trained"}
    store.update_status("FineTuneJob", "default", "bird", job["status"])
    capsys.readouterr()

    def one_round(_seconds: float) -> None:
        if "Trained" in capsys.readouterr().out or rounds.pop() == 0:
            raise KeyboardInterrupt

    rounds = [0, 1]
    monkeypatch.setattr("swiftlet.cli.reading.listing.time.sleep", one_round)
    with pytest.raises(KeyboardInterrupt):
        watch(listing, printed)
    assert rounds == [0], "the change was not printed in the first round"
