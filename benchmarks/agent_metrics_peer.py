"""What EvalScope and BFCL make of cases: run by their environment's interpreter, JSON in and out.

    python agent_metrics_peer.py < CASES > FIGURES

CASES: see agent_cases.all_cases. FIGURES: {"toolbench": [...], "calls": [...]}, EvalScope's figures by its names and
BFCL's verdicts.
"""

import json
import sys
from typing import Any


def main() -> None:
    """Read, compute, write."""
    cases = json.load(sys.stdin)
    figures = {
        "toolbench": [_figures(case, cases["tools"]) for case in cases["toolbench"]],
        "calls": [_verdict(case, cases["functions"], cases["right"]) for case in cases["calls"]],
    }
    json.dump(figures, sys.stdout)


def _figures(case: dict[str, Any], tools: list[str]) -> dict[str, float]:
    from evalscope.benchmarks.tool_bench.utils import calculate_metrics

    said = {"target": case["target"], "predictions": case["prediction"]}
    found: dict[str, float] = calculate_metrics({**said, "tools": [{"name": name} for name in tools]})
    return found


def _verdict(case: dict[str, Any], functions: list[dict[str, Any]], right: dict[str, Any]) -> bool:
    if case["category"] == "irrelevance":  # what EvalScope's adapter asks in its place: whether anything was called
        return not case["calls"]
    from bfcl_eval.constants.enums import Language
    from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker

    model = "meta-llama/Llama-3.3-70B-Instruct-FC"  # one whose names of functions keep their dots
    possible = [{name: right[name]} for name in case["due"]]
    found = ast_checker(functions, case["calls"], possible, Language.PYTHON, case["category"], model)
    return bool(found["valid"])


if __name__ == "__main__":
    main()
