"""Weights within answers: which characters of an answer count more, less or not at all in the loss."""
