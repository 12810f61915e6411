"""Bounded work in numbered attempts, a Job each: FineTuneJobs and EvalRuns restart, end and go on by the same rules."""
