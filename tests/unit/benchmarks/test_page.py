"""docs/benchmarks.md is what the results say, so that the next run takes nothing away from it."""

import json

from run import PAGE, RESULTS, render


def test_the_page_is_what_the_results_say() -> None:
    assert PAGE.read_text() == render(json.loads(RESULTS.read_text())), "change benchmarks/run.py, not the page"
