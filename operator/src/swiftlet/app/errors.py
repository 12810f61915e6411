"""Why the operator does not start."""


class StartError(Exception):
    """The operator cannot start; the message says what to do."""
