"""The kinds whose work ends."""

from swiftlet.api.evalrun import EvalRun, EvalRunStatus
from swiftlet.api.finetunejob import FineTuneJob, FineTuneJobStatus

Run = FineTuneJob | EvalRun
RunStatus = FineTuneJobStatus | EvalRunStatus
