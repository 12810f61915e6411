"""Every kind of suite has a name and metrics, and gates may be on each of them."""

import pytest
from swiftlet.api.v1alpha1.suites import SUITE_METRICS, SUITE_NAMES, Suite
from swiftlet.kinds.evalrun.plan import suite_metrics, suite_name, suite_uri

BLOCKS = [name for name, field in Suite.model_fields.items() if "Suite" in str(field.annotation)]
URI = "configmap://rows/rows.jsonl"


def test_every_block_is_known() -> None:
    assert list(SUITE_NAMES) == BLOCKS
    assert [*SUITE_METRICS] == [name for name in BLOCKS if name != "generation"]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_suite_is_told_by_its_block(block: str) -> None:
    suite = Suite.model_validate({block: {"uri": URI}})
    assert suite_name(suite) == SUITE_NAMES[block]
    field, uri = suite_uri(suite)
    assert (field.removesuffix(".uri").lower(), uri) == (block.replace("_", ""), URI)
    assert suite_metrics(suite) == list(SUITE_METRICS.get(block, ("contains",)))
