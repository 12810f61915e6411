"""Agent templates: ways of writing tools, calls of them and their results."""

from typing import Literal

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.tasks import tasks_of_texts

AgentTemplateName = Literal[
    "hermes",
    "react_en",
    "react_zh",
    "react_grpo",
    "toolbench",
    "qwen_en",
    "qwen_zh",
    "qwen_en_parallel",
    "qwen_zh_parallel",
    "qwen3_coder",
    "qwen3_5",
    "chatglm4",
    "glm4",
    "glm4_5",
    "glm4_7",
    "glm5_1",
    "llama3",
    "llama4",
    "deepseek_v3_1",
    "deepseek_v4",
    "minimax_m2",
    "minicpm5",
    "seed_oss",
    "hunyuan_hermes",
    "hy_v3_preview",
    "hy_v3",
    "youtu",
]
"""Names as in SWIFT."""


def agents_talk() -> Rule:
    """Of a whole job."""
    tasks = tasks_of_texts()
    texts = " || ".join(f"has(self.task.{task})" for task in tasks)
    return Rule(
        f"!has(self.template) || !has(self.template.agentTemplate) || !has(self.task) || !({texts})",
        f"template.agentTemplate writes tools into conversations, and tasks {', '.join(tasks)} learn from texts;"
        " leave it out",
        "template.agentTemplate",
    )
