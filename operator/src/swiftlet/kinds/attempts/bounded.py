"""The kinds whose work ends."""

from swiftlet.api.v1alpha1.evalrun import EvalRun, EvalRunStatus
from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.api.v1alpha1.finetunejob_status import FineTuneJobStatus

Run = FineTuneJob | EvalRun
RunStatus = FineTuneJobStatus | EvalRunStatus
