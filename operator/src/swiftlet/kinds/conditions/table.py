"""Every condition and every reason, as people read them in the reference. A test holds the reconcilers to it."""

from dataclasses import dataclass

from swiftlet.kinds.conditions.reasons import (
    HOLDS,
    JOB_FAILURES,
    NO_BACKEND,
    POD_OBSTACLES,
    QUEUED,
    REFUSED,
    RUN_QUOTA,
    SERVER_QUOTA,
    SUSPENSION,
    UPSTREAM,
    WAITING,
)


@dataclass(frozen=True)
class ConditionDoc:
    """One condition of one kind. reasons: meaning by reason."""

    type: str
    meaning: str
    reasons: dict[str, str]
    is_asked_for: bool = False
    """It is there only where the document asks for what it is about; all others always are."""


TRACKED = ConditionDoc(
    "Tracked",
    "Every tracker of reportTo gets the figures; the run goes on either way. Only where one is named.",
    {
        "NotStarted": "The work has not begun, or a tracker has not answered yet.",
        "Reporting": "They do; the message says where the run is shown.",
        "TrackerFailed": "One does not, and the message says why; while the run goes on it is tried again.",
    },
    is_asked_for=True,
)
"""Of what runs and reports."""

CONDITIONS: dict[str, tuple[ConditionDoc, ...]] = {
    "FineTuneJob": (
        ConditionDoc(
            "Accepted",
            "The job can run as it is written. Unknown while it waits for something, False when it was refused.",
            {
                "Planned": "The message says how the run is laid out, and what artifact it starts from.",
                **REFUSED,
                **NO_BACKEND,
                **WAITING,
                **UPSTREAM,
            },
        ),
        ConditionDoc(
            "QuotaReserved",
            "Kueue has quota for all pods of the attempt. Only in a queue.",
            RUN_QUOTA,
            is_asked_for=True,
        ),
        ConditionDoc(
            "PodsReady",
            "Every pod of the present attempt runs.",
            {
                "AllPodsReady": "All do.",
                "PodsStarting": "Some do not yet.",
                "NotAccepted": "The job is not accepted.",
                "JobCreating": "The attempt's Job is being created.",
                "Suspended": "spec.suspend is true.",
                "Finished": "The run has ended.",
                **HOLDS,
                **POD_OBSTACLES,
            },
        ),
        ConditionDoc(
            "Running",
            "A pod works on the run.",
            {
                "Preparing": "Input is checked and data tokenized.",
                "Training": "Steps are taken.",
                "Uploading": "The artifact is made; it is written to the place that spec.export names.",
                "BackingOff": "The last attempt failed; the message says when the next one starts and why.",
                "PodsStarting": "No container runs yet.",
                "NotAccepted": "The job is not accepted.",
                "JobCreating": "The attempt's Job is being created.",
                "Suspended": "spec.suspend is true.",
                "Finished": "The run has ended.",
                **HOLDS,
                **POD_OBSTACLES,
            },
        ),
        ConditionDoc(
            "Checkpointed",
            "A restart would not begin at step 0.",
            {"CheckpointSaved": "The message says at which step.", "NoCheckpoint": "None has been saved yet."},
        ),
        ConditionDoc(
            "Compiled",
            "torch.compile works on the layers; the run goes on either way.",
            {
                "NotTried": "Nobody asked for it, or the run is too short for it; or training has not begun.",
                "Compiled": "It does; the message says what it took.",
                "CompileFailed": "It does not, and the message says why: the steps are as slow as without it.",
            },
        ),
        TRACKED,
        ConditionDoc(
            "Suspended",
            "spec.suspend, or somebody else, has stopped the pods, after a checkpoint.",
            {**SUSPENSION, **HOLDS},
        ),
        ConditionDoc(
            "Succeeded",
            "The summary: True when the artifact is there, False when the run was refused or failed, else Unknown.",
            {
                "Trained": "The artifact is there.",
                "Training": "Still at it.",
                "Uploading": "Still at it.",
                "Preparing": "Still at it.",
                "PodsStarting": "Still at it.",
                "JobCreating": "Still at it.",
                "BackingOff": "The last attempt failed, the next one will start.",
                "Suspended": "spec.suspend is true.",
                **HOLDS,
                **POD_OBSTACLES,
                **REFUSED,
                **NO_BACKEND,
                **WAITING,
                **UPSTREAM,
                **JOB_FAILURES,
            },
        ),
    ),
    "EvalRun": (
        ConditionDoc(
            "Accepted",
            "The evaluation can be done as it is written, and its target is there.",
            {"Planned": "It can.", **REFUSED, **WAITING, **UPSTREAM},
        ),
        ConditionDoc(
            "QuotaReserved",
            "Kueue has quota for the pod of the attempt. Only in a queue.",
            RUN_QUOTA,
            is_asked_for=True,
        ),
        ConditionDoc(
            "Running",
            "The pod works on the evaluation.",
            {
                "Evaluating": "It does.",
                "BackingOff": "The last attempt failed; the message says when the next one starts and why.",
                "PodsStarting": "The pod does not run yet.",
                "NotAccepted": "The evaluation is not accepted.",
                "JobCreating": "The Job is being created.",
                "Suspended": "spec.suspend is true.",
                "Finished": "The evaluation has ended.",
                **HOLDS,
                **POD_OBSTACLES,
            },
        ),
        TRACKED,
        ConditionDoc("Suspended", "spec.suspend, or somebody else, has stopped the pod.", {**SUSPENSION, **HOLDS}),
        ConditionDoc(
            "GatePassed",
            "Every gate holds. Unknown until there are figures.",
            {
                "AllGatesPassed": "The message has the figures.",
                "NoGates": "spec.gates is empty.",
                "GateFailed": "The message has the figures, the bounds, and by how much they were missed.",
                "NotEvaluated": "There are no figures yet.",
                "ResultsTruncated": "The figures of a gate did not fit into the pod's message; the report has them.",
            },
        ),
        ConditionDoc(
            "Succeeded",
            "The summary: True when the figures are there and every gate holds.",
            {
                "Evaluated": "They are, and they do.",
                "GateFailed": "The figures are there, and a gate does not hold.",
                "ResultsTruncated": "See GatePassed.",
                "Evaluating": "Still at it.",
                "BackingOff": "The last attempt failed, the next one will start.",
                "PodsStarting": "Still at it.",
                "JobCreating": "Still at it.",
                "Suspended": "spec.suspend is true.",
                **HOLDS,
                **POD_OBSTACLES,
                **REFUSED,
                **WAITING,
                **UPSTREAM,
                **JOB_FAILURES,
            },
        ),
    ),
    "ModelDeployment": (
        ConditionDoc(
            "Accepted",
            "The document can be served as it is written, and its model is there.",
            {
                "Planned": "The message has the served names.",
                "RolledBack": "A revision of the history is served, as spec.rollbackTo says.",
                "RevisionNotFound": "The history has no revision of the number that spec.rollbackTo names.",
                "TooManyReplicas": "The engine cannot run as many pods.",
                "AdapterBaseMismatch": "Adapters were trained on different bases.",
                "ArgumentRefused": "An engine argument loads code, follows from the document, or is not allowed here.",
                **REFUSED,
                **WAITING,
                **UPSTREAM,
            },
        ),
        ConditionDoc(
            "GatesPassed",
            "Every required EvalRun has passed its gates on the very artifact that is to be served.",
            {
                "AllGatesPassed": "They have.",
                "NoGates": "spec.requires is empty.",
                "RolledBack": "A revision of the history is served, which was let through when it was new.",
                "GateFailed": "One has not; the message has the figures.",
                "EvalRunFailed": "An EvalRun ended without figures.",
                "WaitingForEvalRun": "An EvalRun has no figures for this artifact yet.",
                "GateForAnotherModel": "A gate holds for other bytes: the message has what was measured.",
                "ReferenceNotFound": "An EvalRun is not there (yet).",
            },
        ),
        ConditionDoc(
            "QuotaReserved",
            "Kueue has quota for every pod, each its own. Only in a queue.",
            SERVER_QUOTA,
            is_asked_for=True,
        ),
        ConditionDoc(
            "Progressing",
            "Something happens towards Ready. False beside Ready False: somebody has to act.",
            {
                "RollingOut": "Pods of the present plan start.",
                "RolledOut": "The present plan serves.",
                "InvalidInput": "The server ended with exit code 2: it cannot start as it is written.",
                "Stopped": "The pods were stopped, and nothing has replaced them yet.",
                "CrashLooping": "The server has died three times.",
                "ProgressDeadlineExceeded": "The pods have not become ready in time.",
                **QUEUED,
                "RevisionNotFound": "See Accepted.",
                "TooManyReplicas": "See Accepted.",
                "AdapterBaseMismatch": "See Accepted.",
                "ArgumentRefused": "See Accepted.",
                "GateFailed": "See GatesPassed.",
                "EvalRunFailed": "See GatesPassed.",
                "WaitingForEvalRun": "See GatesPassed.",
                "GateForAnotherModel": "See GatesPassed.",
                **REFUSED,
                **WAITING,
                **UPSTREAM,
            },
        ),
        ConditionDoc(
            "Ready",
            "The summary: every pod of the present plan has answered a token under each served name.",
            {
                "Available": "They have.",
                "RollingOut": "Not all of them yet.",
                "Unavailable": "They had, and now some do not.",
                "ServerFailed": "The server died; the message has its last lines.",
                "ScaledToZero": "spec.replicas is 0.",
                **QUEUED,
                "RevisionNotFound": "See Accepted.",
                "TooManyReplicas": "See Accepted.",
                "AdapterBaseMismatch": "See Accepted.",
                "ArgumentRefused": "See Accepted.",
                "GateFailed": "See GatesPassed.",
                "EvalRunFailed": "See GatesPassed.",
                "WaitingForEvalRun": "See GatesPassed.",
                "GateForAnotherModel": "See GatesPassed.",
                **POD_OBSTACLES,
                **REFUSED,
                **WAITING,
                **UPSTREAM,
            },
        ),
    ),
}
"""Conditions of each kind, in the order in which a status lists them."""
