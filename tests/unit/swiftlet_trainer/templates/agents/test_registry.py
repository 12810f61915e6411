"""The names that documents may choose are those that there are."""

from typing import get_args

from swiftlet.api.v1alpha1.agents import AgentTemplateName
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES


def test_documents_name_the_templates_that_there_are() -> None:
    assert set(get_args(AgentTemplateName)) == set(AGENT_TEMPLATES)
