from swiftlet.observability.progress import REPORTING_SECONDS, ProgressBoard

TIME = "2026-01-01T12:00:00Z"


def test_reports_are_folded_and_told() -> None:
    told: list[str] = []
    board = ProgressBoard(told.append)
    assert board.of("a") is None
    board.report("a", [{"time": TIME, "type": "phase", "message": "loading the model"}])
    board.report("a", [{"time": TIME, "step": 3, "totalSteps": 9}, {"time": TIME, "type": "checkpoint", "step": 3}])
    assert board.of("a") == {"time": TIME, "type": "checkpoint", "step": 3, "totalSteps": 9, "checkpointStep": 3}
    assert told == ["a", "a"]


def test_an_empty_report_says_nothing() -> None:
    told: list[str] = []
    board = ProgressBoard(told.append)
    board.report("a", [])
    assert (board.of("a"), told, len(board)) == (None, [], 0)


def test_resources_that_are_gone_are_forgotten() -> None:
    board = ProgressBoard()
    for uid in ("a", "b"):
        board.report(uid, [{"time": TIME, "step": 1}])
    board.forget("a")
    assert [board.of(uid) is not None for uid in ("a", "b")] == [False, True]
    assert (len(board), board.reporting) == (1, 1)


def test_who_has_not_reported_for_long_does_not_report() -> None:
    now = [0.0]
    board = ProgressBoard(clock=lambda: now[0])
    board.report("a", [{"time": TIME, "step": 1}])
    now[0] = REPORTING_SECONDS - 1
    board.report("b", [{"time": TIME, "step": 1}])
    assert board.reporting == 2
    now[0] = REPORTING_SECONDS + 1
    assert (board.reporting, len(board)) == (1, 2)
