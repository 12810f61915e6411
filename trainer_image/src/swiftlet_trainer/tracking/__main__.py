"""One tracker's process: `python -m swiftlet_trainer.tracking --job FILE --kind KIND --tracker NAME`.

Reads how the attempt ended from stdin, whose end without a word means that the pod's own process is gone.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable

from swiftlet_trainer.document import load_document
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.progress_post import flush
from swiftlet_trainer.tracking.about import DOCUMENTS, about, asked_of, history_of
from swiftlet_trainer.tracking.following import Follower, Reason, follow
from swiftlet_trainer.tracking.registry import tracker_of
from swiftlet_trainer.tracking.tracked_run import Ending


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m swiftlet_trainer.tracking")
    parser.add_argument("--job", required=True)
    parser.add_argument("--kind", required=True, choices=DOCUMENTS)
    parser.add_argument("--tracker", required=True)
    asked = parser.parse_args()
    # The pod's process decides when this one ends: after the checkpoint that a signal asks for.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.nice(10)
    document = load_document(asked.job, DOCUMENTS[asked.kind])
    report_to = asked_of(document)
    if report_to is None:
        raise SystemExit(f"{asked.job}: reportTo names no tracker")
    reporter = Reporter()

    def tell(reason: Reason, message: str) -> None:
        reporter.emit(type="tracking", tracking={"tracker": asked.tracker, "reason": reason, "message": message})

    folder = in_pod(document.output_dir)
    follower = Follower(
        tracker_of(report_to, asked.tracker),
        about(document),
        history_of(document),
        folder / "tracking" / f"{asked.tracker}.step",
        tell,
    )
    follow(follower, _ending())
    sys.stdout.flush()
    flush()
    os._exit(0)  # threads of clients may wait for servers


def _ending() -> Callable[[float], Ending | None]:
    """What stdin says, waited for."""
    over = threading.Event()
    said: list[Ending] = []

    def read() -> None:
        word = sys.stdin.read().strip()
        said.append(Ending(word) if word else Ending.FAILED)
        over.set()

    threading.Thread(target=read, name="ending", daemon=True).start()
    return lambda seconds: said[0] if over.wait(seconds) else None


if __name__ == "__main__":
    main()
