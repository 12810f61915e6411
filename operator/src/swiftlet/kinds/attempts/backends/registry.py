"""Every backend: a new one is a module beside this one, a word in BACKENDS, and its facts in `api.backends`."""

from swiftlet.kinds.attempts.backends.backend import Backend
from swiftlet.kinds.attempts.backends.job import JobBackend
from swiftlet.kinds.attempts.backends.jobset import JobSetBackend

BACKENDS: dict[str, Backend] = {backend.facts.kind: backend for backend in (JobBackend(), JobSetBackend())}
"""By the kind of their workloads."""
