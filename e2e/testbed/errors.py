"""What can go wrong with a test bed, told with the remedy."""


class TestBedError(RuntimeError):
    """Something that the test bed needs is missing or did not start; the message names it and the remedy."""

    __test__ = False  # no test class, whatever its name says to pytest


class MissingProgramError(TestBedError):
    """A program can neither be found nor built here."""
