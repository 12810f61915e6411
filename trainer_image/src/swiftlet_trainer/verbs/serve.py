"""The verb serve: the parent of the real engine."""

import errno
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.wire.documents import ServeDocument
from swiftlet.wire.messages import EXIT_ERROR, EXIT_OK, TerminationMessage

from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput, write_termination
from swiftlet_trainer.gpu import require_gpu
from swiftlet_trainer.models.tokenizers_alone import tokenizers_alone
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.serve.api_key import read_api_key
from swiftlet_trainer.serve.choice import choose_engine, engine_named
from swiftlet_trainer.serve.engine import EngineProcess, Served
from swiftlet_trainer.serve.health import State, serve_health
from swiftlet_trainer.serve.supervisor import EngineDied, PortInUse, Supervisor

BIND_VARIABLE = "SWIFTLET_BIND_HOST"
EVERYWHERE = "0.0.0.0"  # noqa: S104  (a pod's network is its own; the variable narrows it elsewhere)


def run(job_path: str) -> int:
    """Serve the document at `job_path` until SIGTERM; returns the exit code.

    Raises InvalidInput (bad model, adapter, argument), NoGPU, PortInUse, and what the supervisor raises but EngineDied,
    which becomes the termination message with the engine's last lines.
    """
    document = load_document(job_path, ServeDocument)
    require_gpu(document.use_gpu, "images.server")
    tokenizers_alone()  # this process checks; the engine is one of its own
    reporter, state, stop = Reporter(), State(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    host = os.environ.get(BIND_VARIABLE) or EVERYWHERE
    for port, field in ((document.port, "spec.api.port"), (document.health_port, "healthPort")):
        _check_port(host, port, field)
    health = serve_health(host, document.health_port, state)
    try:
        reporter.emit(type="phase", message=state.phase)
        folder, adapters = _checked(document)
        engine = _engine(document, job_path, folder, adapters, host, reporter)
        supervisor = Supervisor(
            engine,
            url=f"http://{'127.0.0.1' if host == EVERYWHERE else host}:{document.port}",
            api_key=read_api_key(document),
            names=[*document.model_names, *adapters],
            port=document.port,
            state=state,
            stop=stop,
            announce=lambda phase: _announce(reporter, phase),
        )
        supervisor.run()
    except EngineDied as error:
        return _died(error)
    finally:
        health.shutdown()
    write_termination(TerminationMessage())
    return EXIT_OK


def _announce(reporter: Reporter, phase: str) -> None:
    reporter.emit(type="phase", message=phase)


def _engine(
    document: ServeDocument, job_path: str, folder: Path, adapters: dict[str, Path], host: str, reporter: Reporter
) -> EngineProcess:
    """The engine that will run, announced with the reason when it is not the one that `auto` prefers."""
    from swiftlet_trainer.models.made import TASKS, served_head
    from swiftlet_trainer.serve.quantization import quantization_of

    quantized, head = quantization_of(folder), served_head(folder, list(adapters.values()))
    served = Served(document, job_path, folder, adapters, quantized, head)
    name, reason = choose_engine(served)
    weights = str(quantized) if quantized else None
    reporter.emit(type="serving", engine=name, reason=reason, quantization=weights, task=TASKS[head])
    sys.stdout.write(f"engine: {name}{f', because {reason}' if reason else ''}\n")
    process = engine_named(name).process(served, host)
    for note in process.notes:
        sys.stdout.write(f"{note}\n")
    return process


def _checked(document: ServeDocument) -> tuple[Path, dict[str, Path]]:
    """The model's folder and the adapters' by name; InvalidInput with everything that is wrong with them."""
    from swiftlet_trainer.artifact.compatibility import check_adapter
    from swiftlet_trainer.artifact.identity import identity_problems
    from swiftlet_trainer.models.loading import check_model, model_folder
    from swiftlet_trainer.models.made import beside_problems

    names = [*document.model_names, *(adapter.name for adapter in document.adapters)]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [f"served name {name} is given twice; each name is one model" for name in twice]
    model_problems = check_model(document.model, chat=False)
    problems += [*model_problems, *_key_problems(document)]
    if document.draft:
        problems += check_model(document.draft, chat=False)
    adapters = {adapter.name: in_pod(adapter.path) for adapter in document.adapters}
    for adapter in document.adapters:
        folder = adapters[adapter.name]
        found = identity_problems(folder, adapter.digest)
        if not model_problems:
            found += check_adapter(folder, model_folder(document.model))
        problems += [f"adapter {adapter.name}: {problem}" for problem in found]
    if not problems:
        problems = beside_problems(model_folder(document.model), document.model_names, adapters)
    if problems:
        raise InvalidInput(problems)
    return model_folder(document.model), adapters


def _key_problems(document: ServeDocument) -> list[str]:
    if document.api_key_file is None:
        return []
    try:
        return [] if read_api_key(document) else [f"{document.api_key_file}: the API key is empty; write one into it"]
    except (OSError, UnicodeDecodeError) as error:
        return [f"{document.api_key_file}: the API key cannot be read: {error}"]


def _check_port(host: str, port: int, field: str) -> None:
    """Raise PortInUse before minutes are spent on loading."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(port, field) from None
            raise


def _died(error: EngineDied) -> int:
    """The termination message: cause first, then as many of the last lines as fit."""
    sys.stderr.write(f"{error.reason}: {error}\n")
    lines = "\n".join(error.lines)
    failure = Failure(reason=error.reason, message=str(error), exit_code=EXIT_ERROR, traceback=lines or None)
    write_termination(TerminationMessage(failure=failure))
    return EXIT_ERROR
