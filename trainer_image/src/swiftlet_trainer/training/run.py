"""A training run from a job document to an artifact, as one of its processes sees it."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.step_plan import StepPlan, plan_step, unmet

from swiftlet_trainer.checkpoints.store import CheckpointStore, read_marker
from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput, Terminated
from swiftlet_trainer.hardware import detect_hardware
from swiftlet_trainer.parallel.environment import ProcessEnvironment
from swiftlet_trainer.parallel.strategy import join_processes, leave_deepspeed_out, sharded_from_now_on, zero_stage
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.training.recorder import Recorder
from swiftlet_trainer.training.stopping import StopRequest

CHECKPOINTS_FOLDER = "checkpoints"
RESULT_FILE = "result.json"
"""What rank 0 hands to the parent process: artifact, dataset, progress and last lines of the termination message."""


@dataclass(frozen=True)
class Run:
    """What all parts of a run need."""

    document: TrainDocument
    process: ProcessEnvironment
    step_plan: StepPlan
    output_dir: Path
    store: CheckpointStore
    reporter: Reporter

    @property
    def is_main(self) -> bool:
        return self.process.rank == 0

    def phase(self, message: str) -> None:
        """Say what is going on outside the steps."""
        self.reporter.emit(type="phase", message=message)


def run_training(job_path: str, stop: StopRequest) -> None:
    """Train from the newest whole checkpoint to the end. Raises Terminated when stopped, Diverged, DiskFull."""
    run = _set_up(job_path)
    run.phase("loading libraries")
    from swiftlet_trainer.models.loading import load_tokenizer, model_folder
    from swiftlet_trainer.models.vocabulary import embedding_rows, padding_id
    from swiftlet_trainer.tasks.registry import task_of
    from swiftlet_trainer.training.seeding import seed_everything
    from swiftlet_trainer.training.trainer import TaskTrainer

    _join(run)
    seed_everything(run.document.training.seed)
    start = _resume_step(run)
    tokenizer = load_tokenizer(run.document.model)
    task: Any = task_of(run.document)
    data, prepared = load_data(run, task, padding_id(tokenizer, embedding_rows(model_folder(run.document.model))))
    if prepared.channels:
        task = replace(task, channels=prepared.channels)
    total = data.plan.total_steps(run.document.training.epochs, run.document.training.max_steps)
    steps = run.document.training.logging_steps
    recorder = Recorder(run.output_dir, run.reporter, steps, data.plan, total, start, _peak(run))
    run.phase("loading the model")
    trainer = _trainer(run, TaskTrainer, task, data, total, stop, recorder)
    run.phase(f"resuming from step {start}" if start else "training")
    trainer.train(start)
    if trainer.step < total:
        raise Terminated(f"stopped after step {trainer.step} of {total}; a checkpoint was written")
    run.phase("writing the artifact")
    finish(run, trainer, tokenizer, prepared, recorder)


def _set_up(job_path: str) -> Run:
    import torch

    document = load_document(job_path, TrainDocument)
    process = ProcessEnvironment.read(os.environ)
    hardware = detect_hardware(document.use_gpu, process.processes_here)
    problems = [*batch_problems(document, process.world_size), *unmet(document, hardware)]
    if problems:
        raise InvalidInput(problems)
    step_plan = plan_step(document, hardware)
    torch.set_num_threads(step_plan.threads.value)
    output_dir = in_pod(document.output_dir)
    return Run(
        document=document,
        process=process,
        step_plan=step_plan,
        output_dir=output_dir,
        store=CheckpointStore(output_dir / CHECKPOINTS_FOLDER, document.checkpoints.keep),
        reporter=Reporter(enabled=process.rank == 0),
    )


def batch_problems(document: TrainDocument, world_size: int) -> list[str]:
    """Why the parts of the batch do not make up the global one, if they do not."""
    size, steps = document.per_device_batch_size, document.gradient_accumulation_steps
    if size * steps * world_size == document.training.global_batch_size:
        return []
    return [
        f"training.globalBatchSize: {document.training.global_batch_size} is not perDeviceBatchSize {size} x "
        f"gradientAccumulationSteps {steps} x {world_size} processes; plan the job again"
    ]


def _join(run: Run) -> None:
    sharded = zero_stage(run.document.strategy) > 0
    if not sharded:
        leave_deepspeed_out()
    if sharded or run.process.world_size > 1:
        join_processes(run.document.use_gpu, run.process.local_rank, sharded)


def _resume_step(run: Run) -> int:
    """The step to go on from, decided by rank 0 for all; 0 for a fresh run."""
    import torch.distributed as dist

    shared: list[Any] = [0, None]
    if run.is_main:
        try:
            run.store.clean()
            step, problems = run.store.newest()
            for problem in problems:
                run.phase(f"checkpoint set aside: {problem}")
            shared = [step, _world_problem(run, step)]
        except OSError as error:
            shared = [0, f"{run.store.folder}: {error}"]
    if dist.is_initialized():
        dist.broadcast_object_list(shared, src=0)
    if shared[1]:
        raise InvalidInput([shared[1]])
    return int(shared[0])


def _world_problem(run: Run, step: int) -> str | None:
    """ZeRO's optimizer states are one part per process, so the number of processes cannot change."""
    if not step or not zero_stage(run.document.strategy):
        return None
    written = read_marker(run.store.path(step)).world_size
    if written == run.process.world_size:
        return None
    return (
        f"{run.store.path(step)}: written by {written} processes, this run has {run.process.world_size}; "
        f"restore parallelism, or delete the resource to start over"
    )


def load_data(run: Run, task: Any, pad_token_id: int) -> tuple[Any, Any]:
    """The rows that `prepare` left, in order; and what it said about them."""
    from swiftlet_trainer.data.prepared import open_prepared
    from swiftlet_trainer.training.collate import Collator
    from swiftlet_trainer.training.order import order_data

    document, training = run.document, run.document.training
    prepared = open_prepared(document)
    # What a step compares with is computed ahead, see training.baseline.
    collator = Collator(pad_token_id, document.template.packing, place=0 if task.has_baseline else None)
    data = order_data(
        prepared.train,
        prepared.eval,
        collator,
        training.global_batch_size,
        training.seed,
        task.items,
        of_tokens=task.head is None,
    )
    if data.left_out:
        run.phase(f"{data.left_out} rows without a token to learn are left out")
    return data, prepared


def _trainer(run: Run, kind: Any, task: Any, data: Any, total: int, stop: StopRequest, recorder: Recorder) -> Any:
    from swiftlet_trainer.data.prepared import prepared_folder
    from swiftlet_trainer.models.loading import model_folder
    from swiftlet_trainer.training.layout import laid_out
    from swiftlet_trainer.training.model import load_trainable, trainable_parameters
    from swiftlet_trainer.training.reference import reference_of

    document, plan = run.document, run.step_plan
    sharding = sharded_from_now_on(document, run.process.world_size, plan.precision.value == "bf16")
    pad = data.collator.pad_token_id
    model = load_trainable(document, task, model_folder(document.model), plan, run.phase, pad)
    trained, every = trainable_parameters(model)
    run.phase(f"{trained:,} of {every:,} parameters are trained in {plan.precision.value}: {plan.precision.reason}")
    data = laid_out(data, model, task, document, run.phase)
    reference = None
    if task.has_reference:
        data, reference = data.referenced(), reference_of(document, prepared_folder(document))
    if plan.compile.value:
        _compile(run, model, data)
    peers = _peers(run)
    return kind(
        engine=_engine(run, model, peers, sharding),
        peers=peers,
        task=task,
        data=data,
        document=document,
        total=total,
        store=run.store,
        stop=stop,
        recorder=recorder,
        data_workers=plan.data_workers.value,
        reference=reference,
    )


def _peak(run: Run) -> float | None:
    """Operations per second of the run's GPUs; None where they are of a kind that is not known, and where the precision
    is not the one that is known of them."""
    if not run.document.use_gpu or run.step_plan.precision.value != "bf16":
        return None
    import torch

    from swiftlet_trainer.training.arithmetic import peak_of

    peak = peak_of(torch.cuda.get_device_name())
    return peak and peak * run.process.world_size


def _peers(run: Run) -> Any:
    import torch

    from swiftlet_trainer.parallel.peers import Peers

    here = torch.device("cuda", torch.cuda.current_device()) if run.document.use_gpu else torch.device("cpu")
    return Peers(run.process.rank, run.process.world_size, here)


def _engine(run: Run, model: Any, peers: Any, sharding: Any) -> Any:
    """What computes the gradients. sharding: DeepSpeed's settings; None without it."""
    training, masters = run.document.training, run.step_plan.master_weights.value
    if sharding is None:
        from swiftlet_trainer.training.replicated import Replicated

        return Replicated(model, peers, training, masters)
    from swiftlet_trainer.training.sharded import Sharded

    return Sharded(model, sharding.config, training, masters)


def _compile(run: Run, model: Any, data: Any) -> None:
    """Compile the layers, and say what became of it."""
    from swiftlet_trainer.training.compilation import CACHE_FOLDER, compile_layers

    run.phase("compiling the layers")
    cache = run.output_dir / CACHE_FOLDER / f"rank-{run.process.rank}"
    found = compile_layers(model, data.collator, run.document.per_device_batch_size, cache)
    run.reporter.emit(type="compile", compilation=found)


def finish(run: Run, trainer: Any, tokenizer: Any, prepared: Any, recorder: Recorder) -> None:
    """Gather the weights, write the artifact and the report, and leave the result for the parent process."""
    weights = trainer.engine.gathered()
    if not run.is_main:
        return
    from swiftlet_trainer.artifact.writing import write_artifact
    from swiftlet_trainer.models.loading import model_folder

    artifact = write_artifact(
        run.output_dir,
        run.document,
        trainer.engine.model,
        weights,
        tokenizer,
        model_folder(run.document.model),
        prepared.digest,
        trainer.step,
        recorder.loss,
        recorder.eval_loss,
    )
    result = {
        "artifact": artifact.document(),
        "dataset": prepared.counts.document(),
        "progress": recorder.progress.document(),
        "lastLines": run.reporter.last_lines,
    }
    (run.output_dir / RESULT_FILE).write_text(json.dumps(result), encoding="utf-8")
