"""What must hold before a ModelDeployment serves."""

from collections import Counter
from pathlib import PurePosixPath

from swiftlet.api.evalrun import EvalRun
from swiftlet.api.modeldeployment import ModelDeployment, Requirement
from swiftlet.engines import ENGINES
from swiftlet.kinds.conditions import find_condition
from swiftlet.kinds.given import given
from swiftlet.kinds.modeldeployment.models import ServedModel
from swiftlet.kinds.surroundings import Surroundings
from swiftlet.kinds.verdict import Verdict, combine
from swiftlet.wire.reading import read


def decide(deployment: ModelDeployment, served: ServedModel | Verdict, around: Surroundings) -> Verdict | None:
    """All that stands against the document itself."""
    found = [
        around.profile_verdict,
        around.image("server"),
        around.limits(deployment.spec.compute, replicas=deployment.spec.replicas),
        replicas_fit(deployment, around),
        args_reach(deployment),
        api_key(deployment, around),
    ]
    if isinstance(served, Verdict):
        return combine([*found, served])
    return combine(
        [
            *found,
            distinct_names(served),
            same_base(served),
            around.model("spec.model", served.uri),
            *(around.file(f"adapter {adapter.name}", adapter.uri) for adapter in served.adapters),
            *around.volumes(artifacts=False),
        ]
    )


def replicas_fit(deployment: ModelDeployment, around: Surroundings) -> Verdict | None:
    """The engine may have a limit of its own."""
    limit, replicas = around.capabilities.max_replicas, deployment.spec.replicas
    if limit is None or replicas <= limit:
        return None
    return Verdict(
        "TooManyReplicas",
        f"spec.replicas {replicas}: at most {limit} can run here; use {limit}, or run it on a cluster",
    )


def args_reach(deployment: ModelDeployment) -> Verdict | None:
    """Arguments are for the engine that takes some."""
    engine = deployment.spec.engine
    if not engine.args or ENGINES[engine.name].accepts_args:
        return None
    return Verdict(
        "InvalidPlan", f"spec.engine.args: engine {engine.name} takes no arguments; remove them, or use engine vllm"
    )


def api_key(deployment: ModelDeployment, around: Surroundings) -> Verdict | None:
    """The key can be read by the pod."""
    key = deployment.spec.api.api_key
    if key is None:
        return None
    if key.file is not None:
        return _key_file(key.file, around)
    if not around.capabilities.reads_secrets:
        return None
    ref = given(key.secret_ref)
    secret = around.reader.get("Secret", around.namespace, ref.name)
    who = f"spec.api.apiKey.secretRef: Secret {around.namespace}/{ref.name}"
    if secret is None:
        return Verdict("ReferenceNotFound", f"{who} does not exist", waits=True)
    if ref.key not in {**(secret.get("data") or {}), **(secret.get("stringData") or {})}:
        return Verdict("ReferenceNotFound", f"{who} has no key {ref.key}", waits=True)
    return None


def _key_file(file: str, around: Surroundings) -> Verdict | None:
    if not around.capabilities.host_paths:
        return Verdict(
            "LocalPathNotAllowed",
            f"spec.api.apiKey.file {file}: pods of a cluster cannot read a local path; use apiKey.secretRef",
        )
    if not PurePosixPath(file).is_absolute():
        return Verdict("InvalidUri", f"spec.api.apiKey.file {file}: the path must be absolute here")
    return None


def distinct_names(served: ServedModel) -> Verdict | None:
    """Each name means one model."""
    twice = [name for name, count in Counter(served.served_names).items() if count > 1]
    if not twice:
        return None
    return Verdict(
        "InvalidPlan",
        f"served names: {', '.join(twice)} would mean several models; set spec.api.servedName,"
        " spec.api.baseServedName or the adapter's name",
    )


def same_base(served: ServedModel) -> Verdict | None:
    """All adapters were trained on the same weights, as far as their jobs recorded them."""
    bases = {adapter.name: adapter.base_digest for adapter in served.adapters if adapter.base_digest}
    if len(set(bases.values())) <= 1:
        return None
    listed = ", ".join(f"{name} on {digest[:19]}" for name, digest in bases.items())
    return Verdict("AdapterBaseMismatch", f"adapters were trained on different bases ({listed}); deploy them apart")


def gates(deployment: ModelDeployment, served: ServedModel | Verdict, around: Surroundings) -> Verdict | None:
    """All that stands against promotion."""
    return combine(_gate(requirement, deployment, served, around) for requirement in deployment.spec.requires)


def _gate(
    requirement: Requirement, deployment: ModelDeployment, served: ServedModel | Verdict, around: Surroundings
) -> Verdict | None:
    name = requirement.eval_run_ref.name
    found = around.reader.get("EvalRun", around.namespace, name)
    who = f"EvalRun {around.namespace}/{name}"
    if found is None:
        return Verdict("ReferenceNotFound", f"spec.requires: {who} does not exist", waits=True)
    unset = {"status": "Unknown", "reason": "NotObserved", "message": ""}
    gate, summary = find_condition(found, "GatePassed") or unset, find_condition(found, "Succeeded") or unset
    if gate["status"] == "False":
        return Verdict("GateFailed", f"{who}: {gate['message']}")
    if gate["status"] == "Unknown" and summary["status"] == "False":
        return Verdict("EvalRunFailed", f"{who} failed: {summary['reason']}: {summary['message']}")
    if gate["status"] == "Unknown":
        return Verdict("WaitingForEvalRun", f"waiting for {who}: {summary['reason']}", waits=True)
    return _same_artifact(read(EvalRun, found).value, who, deployment, served)


def _same_artifact(
    run: EvalRun, who: str, deployment: ModelDeployment, served: ServedModel | Verdict
) -> Verdict | None:
    """A gate speaks for the very bytes that it measured: the artifact may have been trained again since."""
    ref = run.spec.target.fine_tune_job_ref
    if ref is None or ref != deployment.spec.model.fine_tune_job_ref or isinstance(served, Verdict):
        return None
    measured = run.status.target_digest if run.status else None
    if measured == served.digest:
        return None
    return Verdict("WaitingForEvalRun", f"{who} measured {measured}, but the artifact is {served.digest}", waits=True)
