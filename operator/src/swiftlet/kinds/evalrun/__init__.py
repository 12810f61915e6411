"""EvalRun: from the spec to an evaluation pod, and from its figures to gates."""
