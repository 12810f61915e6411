from swiftlet.kinds.conditions.verdict import Verdict, combine, refusal

WAIT = Verdict("ReferenceNotFound", "a is missing", waits=True)
REFUSAL = Verdict("InvalidPlan", "b is wrong")


def test_refusals_come_first_and_everything_is_told_once() -> None:
    assert combine([WAIT, None, REFUSAL, WAIT]) == Verdict("InvalidPlan", "b is wrong; a is missing", waits=False)
    assert combine([WAIT]) == WAIT
    assert combine([None]) is None


def test_a_wait_is_unknown_and_a_refusal_false() -> None:
    assert refusal("Accepted", WAIT)[1] == "Unknown"
    assert refusal("Accepted", REFUSAL)[1] == "False"
