"""Scoring a model: suites, metrics, statistics."""
