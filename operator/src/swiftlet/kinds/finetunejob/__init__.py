"""FineTuneJob: from the spec to training pods, and back to a status."""
