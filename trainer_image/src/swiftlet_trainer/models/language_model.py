"""The language model in a model of several kinds of input."""

from collections.abc import Mapping
from typing import Any

PARTS = ("text_config", "llm_config", "language_config", "thinker_config")
"""Where a model of several kinds of input keeps the configuration of its language model."""


def language_model(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of the language model, within that of a model which reads pictures or sound as well."""
    for part in PARTS:
        if isinstance(config.get(part), dict):
            return {**config, **language_model(config[part])}
    return dict(config)
