"""Agent templates by name."""

from collections.abc import Mapping

from swiftlet_trainer.templates.agents.chatglm import CHATGLM
from swiftlet_trainer.templates.agents.deepseek import DEEPSEEK
from swiftlet_trainer.templates.agents.deepseek_v4 import DEEPSEEK_V4
from swiftlet_trainer.templates.agents.glm import GLM
from swiftlet_trainer.templates.agents.hermes import HERMES
from swiftlet_trainer.templates.agents.hunyuan import HUNYUAN
from swiftlet_trainer.templates.agents.llama import LLAMA
from swiftlet_trainer.templates.agents.minicpm import MINICPM
from swiftlet_trainer.templates.agents.minimax import MINIMAX
from swiftlet_trainer.templates.agents.qwen import QWEN
from swiftlet_trainer.templates.agents.qwen3 import QWEN3
from swiftlet_trainer.templates.agents.react import REACT
from swiftlet_trainer.templates.agents.seed import SEED
from swiftlet_trainer.templates.agents.template import AgentTemplate
from swiftlet_trainer.templates.agents.tool_bench import TOOL_BENCH
from swiftlet_trainer.templates.agents.youtu import YOUTU

GROUPS = (
    (HERMES,),
    REACT,
    (TOOL_BENCH,),
    QWEN,
    QWEN3,
    CHATGLM,
    GLM,
    LLAMA,
    (DEEPSEEK, DEEPSEEK_V4, MINIMAX, MINICPM, SEED),
    HUNYUAN,
    (YOUTU,),
)
AGENT_TEMPLATES: Mapping[str, AgentTemplate] = {one.name: one for group in GROUPS for one in group}
