"""Reasons that several conditions have, and what they mean."""

from swiftlet.kinds.conditions.refusals import API_REFUSALS

REFUSED = {
    "Invalid": "The API server let the document in, but it cannot be read: CRDs and operator differ in version.",
    "InvalidPlan": "The document contradicts itself or cannot be laid out; the message has the numbers.",
    "InvalidUri": "A URI leaves its volume, or a local path is not absolute.",
    "LocalPathNotAllowed": "The document names a local path, and pods of this engine cannot read one.",
    "ImageMissing": "The ComputeProfile names no image for the pods.",
    "LimitExceeded": "More is asked for than the ComputeProfile's limits allow; the message has the figures.",
    "NamespaceNotAllowed": "The ComputeProfile is not for this namespace.",
    "NeedsCluster": "The ComputeProfile sets something that processes of one machine cannot have.",
    "MirrorRequired": "Data or an adapter of the hub is named, and the ComputeProfile has no mirror.",
    "NameConflict": "A child's name is taken by an object of somebody else; nothing was overwritten.",
    "NameTooLong": "The pods' hostnames would be longer than a DNS label.",
}
NO_BACKEND = {"BackendMissing": "A kind that the attempts are to be made as is not installed, or not for the operator."}
WAITING = {
    "ReferenceNotFound": "An object that the document names is not there (yet).",
    "WaitingForDeletion": "A child of a deleted resource of the same name is still there.",
    **API_REFUSALS,
}
UPSTREAM = {
    "WaitingForFineTuneJob": "The FineTuneJob has no artifact yet.",
    "UpstreamFailed": "The FineTuneJob failed.",
}
POD_OBSTACLES = {
    "Stopped": "The pods were stopped together with the machine or the engine, and go on when it runs again.",
    "Unschedulable": "No node takes a pod; the message names the resource that is short.",
    "VolumePending": "No node takes a pod, because a PersistentVolumeClaim that it mounts has no volume yet.",
    "NodeLost": "Nothing is heard from a pod's node; whether the pod still works cannot be known.",
    "SchedulingGated": "A pod is held back by a scheduling gate.",
    "ErrImagePull": "An image cannot be pulled.",
    "ImagePullBackOff": "An image cannot be pulled; the kubelet tries again later.",
    "InvalidImageName": "An image's name cannot be read.",
    "CreateContainerConfigError": "A Secret or ConfigMap that a container needs is missing.",
    "CreateContainerError": "The container runtime cannot create a container.",
    "RunContainerError": "The container runtime cannot start a container.",
    "CrashLoopBackOff": "A container has died and is started again later.",
    **API_REFUSALS,
}
SUSPENSION = {
    "NotSuspended": "spec.suspend is false.",
    "Resumed": "spec.suspend was true and is false again.",
    "Suspending": "The pods are being stopped.",
    "UserRequested": "spec.suspend is true, and the pods are gone.",
    "Finished": "The work ended before it could be suspended.",
}
QUEUED = {
    "Queued": "Kueue holds the pods back; the message has their Workload's words, where they can be read.",
    "Preempted": "Kueue has stopped the pods for work that goes first, and starts them again by itself.",
    "Evicted": "Kueue has stopped the pods and starts them again by itself; the message says why.",
    "Inadmissible": "The queue is not there, or is stopped; the message has Kueue's words and what to do.",
    "Deactivated": "Somebody has deactivated the Workload of Kueue; it goes on when spec.active is true again.",
}
HOLDS = {
    **QUEUED,
    "SuspendedByAnother": "Somebody else has suspended the Job; the message says who.",
}
RUN_QUOTA = {
    "Admitted": "It has; the message says whose.",
    "NotManaged": "The Job runs without Kueue, which is not there or does not look at it.",
    "NotAccepted": "The document is not accepted.",
    "JobCreating": "The attempt's Job is being created.",
    "BackingOff": "The last attempt failed and holds no quota; the next one has not started.",
    "Suspended": "spec.suspend is true.",
    "Finished": "The run has ended and holds none.",
    **QUEUED,
    **API_REFUSALS,
}
SERVER_QUOTA = {
    "Admitted": "It has.",
    "NotManaged": "Pods run without Kueue, which is not there or does not look at them.",
    "NoPods": "There is no pod that asks for it.",
    **QUEUED,
}
JOB_FAILURES = {
    "InvalidInput": "A pod ended with exit code 2: document, data, model or adapter cannot be used. Never retried.",
    "Diverged": "The loss, or an evaluated model's logits, became NaN or infinite (exit code 3). Never retried.",
    "BackoffLimitExceeded": "It failed more often than spec.backoffLimit allows.",
    "DeadlineExceeded": "Its attempts took longer than spec.activeDeadlineSeconds together.",
    "InfrastructureLimitExceeded": "Pods were taken away too often; see spec.infrastructureRestartLimit.",
    "ResultMissing": "The Job completed, but no pod left its result.",
}
