"""One step of our own runs in this process: `python training_ours.py prepare | tokens FILE | train`.

The pod's folder is SWIFTLET_ROOT.
"""

import sys
from pathlib import Path
from typing import Any

from training_rows import JOB, write_tokens
from training_watch import Watch


class OurWatch(Watch):
    """Our batches have no mask, since padding comes last: the plan of the steps knows the rows' lengths."""

    def useful(self, trainer: Any, _inputs: Any) -> int:
        """Tokens of the step's rows; a step is one batch here."""
        plan = trainer.data.plan
        return sum(plan.lengths[row] for row in plan.rows(trainer.state.global_step))


def train() -> None:
    """The trainer's worker, watched as the peers are."""
    from swiftlet_trainer.garbage import collect_rarely

    collect_rarely()  # as the worker's own entry point does
    from swiftlet_trainer.training.run import run_training
    from swiftlet_trainer.training.stopping import StopRequest

    watch = OurWatch()
    watch.attach()
    run_training(JOB, StopRequest())
    watch.report()


def main() -> None:
    """Do what was asked for."""
    if sys.argv[1] == "prepare":
        from swiftlet_trainer.verbs.prepare import run

        raise SystemExit(run(JOB))
    if sys.argv[1] == "tokens":
        print(write_tokens(Path(sys.argv[2])))
    else:
        train()


if __name__ == "__main__":
    main()
