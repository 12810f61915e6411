"""Serving engines as data."""

from swiftlet.engines.catalogue import ENGINES, ServingEngine

__all__ = ["ENGINES", "ServingEngine"]
