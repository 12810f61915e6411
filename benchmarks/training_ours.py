"""One step of our own runs in this process: `python training_ours.py prepare | tokens FILE | texts METHOD | train`.

The pod's folder is SWIFTLET_ROOT.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from training_rows import JOB, write_tokens
from training_texts import write_texts
from training_watch import Watch


class OurWatch(Watch):
    """The same figures from our own loop."""

    def attach(self) -> None:
        """Patch our trainer in this process."""
        from swiftlet_trainer.training.trainer import TaskTrainer

        plain, whole = TaskTrainer._learn, TaskTrainer.train

        def train(trainer: Any, *arguments: Any) -> None:
            self.step_begins()  # what a method computes ahead of its steps is part of their time
            whole(trainer, *arguments)

        def learn(trainer: Any, batches: Any) -> Any:
            self.step_begins()
            plan = trainer.data.plan
            self.count(sum(plan.lengths[row] for row in plan.rows(trainer.step)))
            figures = plain(trainer, batches)
            self.losses.append(figures.loss)
            self.step_done(last=trainer.step >= trainer.total)
            return figures

        TaskTrainer._learn, TaskTrainer.train = learn, train  # type: ignore[method-assign]


def prepare() -> int:
    """Tokenize the job's rows; the exit code."""
    from swiftlet_trainer.verbs.prepare import run

    return run(JOB)


def train() -> dict[str, Any]:
    """The figures of the trainer's worker, watched as the peers are."""
    from swiftlet_trainer.garbage import collect_rarely

    collect_rarely()  # as the worker's own entry point does
    from swiftlet_trainer.training import run
    from swiftlet_trainer.training.stopping import StopRequest

    plan = run.plan_step
    run.plan_step = lambda *given: replace(plan(*given), **_instead())
    watch = OurWatch()
    watch.attach()
    run.run_training(JOB, StopRequest())
    return watch.figures()


def _instead() -> dict[str, Any]:
    """Choices of the plan that this run makes otherwise."""
    from swiftlet.wire.step_plan import Choice

    asked = json.loads(Path("run.json").read_text())["instead"]
    return {name: Choice(value, "the benchmark asks for it") for name, value in asked}


def main() -> None:
    """Do what was asked for."""
    if sys.argv[1] == "prepare":
        raise SystemExit(prepare())
    if sys.argv[1] == "tokens":
        print(write_tokens(Path(sys.argv[2])))
    elif sys.argv[1] == "texts":
        if code := prepare():
            raise SystemExit(code)
        print(write_texts(sys.argv[2], Path("rows.jsonl")))
    else:
        print("\n" + json.dumps(train()), flush=True)


if __name__ == "__main__":
    main()
