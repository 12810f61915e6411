"""Rules that are known by name, in the form of ms-swift's files.

Source: ms-swift 4.6, swift/loss_scale/config, and for `react` arXiv:2309.00986, section 4.
"""

from collections.abc import Mapping
from typing import Any

_REACT = {
    "Action:": [2.0, 2.0],
    "Action Input:": [2.0, 2.0],
    "Thought:": [1.0, 1.0],
    "Final Answer:": [1.0, 1.0],
    "Observation:": [2.0, 0.0],
}
_CALLED = (
    *("Name:", "Action:", "ACTION:", "Tool:", "Command", "Arguments:"),
    *("action input", "ACTION_INPUT:", "Action Input:"),
)
_ASKED = (
    "What is the tool you want to use",
    "What are the required parameter names",
    "What is the value of",
    "What are the required parameter names for this tool",
)
_NO_BUDGET = (
    "<seed:think><seed:cot_budget_reflect>The current thinking budget is 0, so I will directly start answering the "
    "question.</seed:cot_budget_reflect>"
)

KNOWN: Mapping[str, Mapping[str, Any]] = {
    "react": _REACT,
    "alpha_umi": {**_REACT, "Next:": [2.0, 2.0]},
    "agentflan": {
        "response": {
            **{key: [1.0, 3.0] for key in _CALLED},
            "Thought:": [1.0, 1.0],
            "Final Answer:": [1.0, 1.0],
            "Observation:": [2.0, 0.0],
        },
        "query": {key: [3.0] for key in _ASKED},
    },
    "qwen": {
        "✿FUNCTION✿:": [2.0, 2.0],
        "✿ARGS✿:": [2.0, 2.0],
        "✿RETURN✿:": [1.0, 1.0],
        "✿RESULT✿:": [2.0, 0.0],
    },
    "hermes": {"<tool_call>.+?</tool_call>": [2.0]},
    "ignore_empty_think": {
        r"^<think>\s*</think>\s*": [0.0],
        rf"^{_NO_BUDGET}\n</seed:think>\s*": [0.0],
        r"^</think>\s*": [0.0],
        r"^<\|channel>thought\n<channel\|>": [0.0],
        r"^</mm:think>\s*": [0.0],
    },
    "ignore_think_prefix": {r"^<think>\n?": [0.0]},
}
"""By name: a mapping as swiftlet_trainer.templates.loss_scale.rules reads it."""
