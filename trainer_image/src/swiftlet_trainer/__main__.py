"""`python -m swiftlet_trainer VERB --job FILE`: the program of every pod."""

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from types import FrameType

VERBS = {
    "validate": "check the document, the model and the data; write nothing",
    "preview": "show the first rows as the tokens that would be learnt, as JSON and as a page in the outputDir",
    "prepare": "check everything, then turn the data into tokens below the document's outputDir",
    "restore": "see that the run's places in object storage can be written to, and fetch its newest checkpoint there",
    "train": "train on all processes of this node (torchrun's PET_* variables say which node this is)",
    "upload": "beside train: copy its checkpoints to object storage while it runs, and the artifact when it is done",
    "evaluate": "score the target and the baseline",
    "publish": "beside evaluate: attach its results to what was measured, in its registry",
    "serve": "serve the model and its adapters over an OpenAI-compatible API",
}

FETCH = "fetch models and data of object storage, before another verb of the pod runs"
ROWS = "usable rows of each data set that are shown"
READ = "rows of each data set that are read and checked, from the first on (default: all)"
SOURCE = "what, and the file to write; of a path that ends in /, a folder; may be given several times"

EPILOG = """\
examples:
  python -m swiftlet_trainer validate --job job.json
  python -m swiftlet_trainer preview --job job.json --rows 10 --read 1000
  python -m swiftlet_trainer prepare --job /swiftlet/job/job.json
  PET_NNODES=1 PET_NPROC_PER_NODE=2 python -m swiftlet_trainer train --job job.json

environment:
  SWIFTLET_ROOT           folder below which every absolute path is opened; absent means /
  SWIFTLET_PROGRESS_FILE  where progress events are appended; absent means plain lines on stdout
  SWIFTLET_PROGRESS_URL   where they are posted too, with the token in the file $SWIFTLET_PROGRESS_TOKEN

exit codes: 0 done, 1 failed, 2 bad input, 3 the loss became NaN or infinite, 143 stopped by SIGTERM
"""


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    from swiftlet.wire.documents import JOB_FILE  # a second of imports, in which SIGTERM is heard already

    parser = argparse.ArgumentParser(
        prog="python -m swiftlet_trainer",
        description="Runs one verb on one job document.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, summary in VERBS.items():
        one = verbs.add_parser(verb, help=summary, description=summary)
        one.add_argument("--job", default=JOB_FILE, metavar="FILE", help="job document (default: %(default)s)")
        if verb == "preview":
            one.add_argument("--rows", type=int, required=True, metavar="N", help=ROWS)
            one.add_argument("--read", type=int, metavar="N", help=READ)
    fetch = verbs.add_parser("fetch", help=FETCH, description=FETCH)
    fetch.add_argument("--source", action="append", required=True, nargs=2, metavar=("URI", "PATH"), help=SOURCE)
    fetch.add_argument("--most", type=int, required=True, metavar="BYTES", help="the largest model or file")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; returns its exit code (swiftlet.wire.messages). Each verb is imported only when it is asked for."""
    parsed = arguments().parse_args(argv)
    from swiftlet_trainer.bars import no_bars_in_logs
    from swiftlet_trainer.garbage import collect_rarely
    from swiftlet_trainer.threads import share_cores

    no_bars_in_logs()
    share_cores()
    collect_rarely()
    from swiftlet_trainer.failures import reporting

    verb = importlib.import_module(f"swiftlet_trainer.verbs.{parsed.verb}")
    given = {name: value for name, value in vars(parsed).items() if name != "verb"}
    return reporting(verb.run)(*given.values())


def end(number: int, _frame: FrameType | None) -> None:
    """End, as a signal ends a program that says nothing of it: the kernel keeps such a one from a container's first
    process, which would go on until its grace period is over. Verbs that have something to save listen themselves.

    Source: signal(7) and pid_namespaces(7), signals of which the init process has no handler.
    """
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    sys.exit(main())
