"""Agent templates by name."""

from collections.abc import Mapping

from swiftlet_trainer.templates.agents.hermes import HERMES
from swiftlet_trainer.templates.agents.qwen import QWEN
from swiftlet_trainer.templates.agents.react import REACT
from swiftlet_trainer.templates.agents.template import AgentTemplate

AGENT_TEMPLATES: Mapping[str, AgentTemplate] = {one.name: one for one in (HERMES, *REACT, *QWEN)}
