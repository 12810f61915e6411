"""Figures of agents beside EvalScope's and BFCL's own, on the same cases.

    python benchmarks/agent_metrics.py [--write]

Prints how many are the same and each that is not; the exit code is 1 when there is one. --write: the file that the unit
tests hold our figures to, of fewer cases.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from agent_cases import all_cases
from swiftlet_trainer.evaluate.agents.function_calls import Due, calls_problem
from swiftlet_trainer.evaluate.agents.steps import Call, step_of_text
from swiftlet_trainer.evaluate.agents.toolbench import step_figures
from training_environments import python_of

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests/unit/swiftlet_trainer/evaluate/agents/peers.json"
NAMES = {"plan_em": "plan_em", "Act.EM": "act_em", "F1": "avg_f1", "HalluRate": "hallu_rate", "Rouge-L": "rouge_l"}
"""EvalScope's names of our figures; it has others beside them."""
GIVEN_UP = "the reference gives up: EvalScope counts it where the prediction gives up as well, we count it always"
CASES = 20_000
KEPT = 300

Cases = dict[str, Any]


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true")
    if options.parse_args().write:
        kept = all_cases(KEPT)
        GOLDEN.write_text(_compact(kept, theirs(kept)))
    cases = all_cases(CASES)
    found = differences(cases, theirs(cases))
    unexplained = [text for why, text in found if why is None]
    print(*unexplained[:20], sep="\n")
    print(
        f"{sum(map(len, cases.values())):,} cases beside EvalScope and BFCL, {len(unexplained)} differ; and beside them"
    )
    for why, count in Counter(why for why, _ in found if why).items():
        print(f"  {count}: {why}")
    return 1 if unexplained else 0


def theirs(cases: Cases) -> dict[str, list[Any]]:
    """What the peers make of them."""
    command = [python_of("evalscope"), str(HERE / "agent_metrics_peer.py")]
    done = subprocess.run(command, input=json.dumps(cases), stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return figures


def differences(cases: Cases, peers: dict[str, list[Any]]) -> list[tuple[str | None, str]]:
    """Each case of which we say something else: why, where that is meant, and what is said."""
    found: list[tuple[str | None, str]] = []
    for case, figures in zip(cases["toolbench"], peers["toolbench"], strict=True):
        target = step_of_text(case["target"])
        ours = step_figures(step_of_text(case["prediction"]), target, cases["tools"])
        wanted = {ours: figures[name] for name, ours in NAMES.items() if name in figures}
        if ours.keys() != wanted.keys() or any(abs(ours[name] - wanted[name]) > 1e-9 for name in ours):
            why = GIVEN_UP if target.plan == "give up" and not wanted else None
            found.append((why, f"{json.dumps(case)}\n  EvalScope {wanted}\n  Swiftlet  {ours}"))
    schemas = {one["name"]: one["parameters"] for one in cases["functions"]}
    for case, valid in zip(cases["calls"], peers["calls"], strict=True):
        calls = [Call(name, arguments) for call in case["calls"] for name, arguments in call.items()]
        problem = calls_problem(calls, [Due(name, cases["right"][name]) for name in case["due"]], schemas)
        if (problem is None) != valid:
            found.append((None, f"{json.dumps(case)}\n  BFCL      {valid}\n  Swiftlet  {problem}"))
    return found


def _compact(cases: Cases, figures: dict[str, list[Any]]) -> str:
    """JSON with one case and what the peers say of it a line."""
    pairs = {kind: zip(cases[kind], said, strict=True) for kind, said in figures.items()}
    lines = {kind: ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in each) for kind, each in pairs.items()}
    about = json.dumps({name: value for name, value in cases.items() if name not in figures})
    return about[:-1] + "".join(f',\n"{kind}": [\n{text}\n]' for kind, text in lines.items()) + "}\n"


if __name__ == "__main__":
    sys.exit(main())
