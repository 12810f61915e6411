"""One module per verb, each with `run(job_path) -> exit code`."""
