"""Words that name kinds on the command line."""

import pytest
from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.columns import columns_of
from swiftlet.cli.reading.resourcekinds import kind_of, parse_kinds
from swiftlet.kube.paths import CHILD_TYPES, EXTRA_TYPES


@pytest.mark.parametrize("word", ["finetunejobs", "finetunejob", "FineTuneJob", "ftj", "finetunejobs.swiftlet.dev"])
def test_a_kind_has_the_names_that_kubectl_knows(word: str) -> None:
    assert kind_of(word).name == "FineTuneJob"


def test_lists_keep_their_order_and_name_each_kind_once() -> None:
    assert [kind.name for kind in parse_kinds("mdep,ftj,finetunejob,po")] == ["ModelDeployment", "FineTuneJob", "Pod"]


def test_every_kind_that_is_made_for_a_resource_can_be_shown() -> None:
    for kind in (*CHILD_TYPES, *EXTRA_TYPES):
        assert columns_of(kind_of(kind)), kind


@pytest.mark.parametrize("text", [None, "all", "swiftlet"])
def test_nothing_and_all_are_our_kinds(text: str | None) -> None:
    names = [kind.name for kind in parse_kinds(text)]
    assert names == ["FineTuneJob", "EvalRun", "ModelDeployment", "ComputeProfile"]


def test_an_unknown_kind_gets_the_nearest_name() -> None:
    with pytest.raises(CommandError, match="there is no kind 'evalrunz': did you mean evalrun"):
        kind_of("evalrunz")


def test_an_unknown_kind_that_resembles_nothing_gets_the_list() -> None:
    with pytest.raises(CommandError, match="the kinds are finetunejobs, evalruns"):
        kind_of("xyzzy")
