"""The process of the transformers engine.

`python -m swiftlet_trainer.serve.transformers_process --parent PID HOST JOB`
"""

import sys
from collections.abc import Sequence

from swiftlet.wire.documents import ServeDocument
from swiftlet.wire.messages import EXIT_INVALID

from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.garbage import collect_rarely
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.serve.api_key import read_api_key
from swiftlet_trainer.serve.engine import PROBLEM_PREFIX
from swiftlet_trainer.serve.lifeline import end_with_parent

DRAIN_SECONDS = 30


def main(argv: Sequence[str]) -> int:
    """Load the model and its adapters, then serve until SIGTERM; returns the exit code."""
    _, parent, host, job = argv
    end_with_parent(int(parent))
    collect_rarely()
    document = load_document(job, ServeDocument)
    sys.stdout.write("loading weights\n")
    sys.stdout.flush()
    import uvicorn

    from swiftlet_trainer.models.loading import model_folder
    from swiftlet_trainer.serve.transformers_app import build_app
    from swiftlet_trainer.serve.transformers_loading import load_engine

    adapters = {adapter.name: in_pod(adapter.path) for adapter in document.adapters}
    folder = model_folder(document.model)
    try:
        engine = load_engine(
            folder,
            document.model_names,
            adapters,
            document.max_model_length,
            document.use_gpu,
            document.agent_template,
        )
    except InvalidInput as error:
        sys.stdout.writelines(f"{PROBLEM_PREFIX}{problem}\n" for problem in error.problems)
        return EXIT_INVALID
    sys.stdout.write("starting the API\n")
    sys.stdout.flush()
    uvicorn.run(
        build_app(engine, read_api_key(document)),
        host=host,
        port=document.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
