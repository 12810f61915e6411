import pytest
from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.selectors import matches, parse_selector

LABELS = {"app": "bird", "team/tier": "dev", "empty": ""}


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", True),
        ("app=bird", True),
        ("app==bird", True),
        ("app = bird", True),
        ("app=bird,team/tier=dev", True),
        ("app=bird, team/tier=prod", False),
        ("app!=bird", False),
        ("other!=x", True),
        ("app in (cat, bird)", True),
        ("app in (cat,dog),empty", False),
        ("app notin (cat)", True),
        ("app notin (cat,bird)", False),
        ("other notin (x)", True),
        ("other in (x)", False),
        ("app", True),
        ("other", False),
        ("!other", True),
        ("!app,empty", False),
        ("empty=", True),
        ("empty in ()", True),
        ("app=", False),
        ("team/tier in (dev),!other,app!=cat", True),
        ("in in (a)", False),
    ],
)
def test_a_selector_chooses_as_kubectl_does(text: str, chosen: bool) -> None:
    assert matches(parse_selector(text), {"metadata": {"labels": LABELS}}) is chosen


def test_what_has_no_labels_is_chosen_by_absence_alone() -> None:
    assert matches(parse_selector("!a,b!=c"), {"metadata": {}})
    assert not matches(parse_selector("a"), {"metadata": {}})


@pytest.mark.parametrize("text", ["=a", "a=b=c", "a in b", "a in (b", "a b", ",", "a,,b", "a!b", "a~b", "a=(b)", "!"])
def test_what_is_no_selector_is_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(CommandError, match=r"is not a label selector, at .*key notin") as refused:
        parse_selector(text)
    assert refused.value.code == 2
