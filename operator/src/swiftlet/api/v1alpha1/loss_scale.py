"""Which tokens of a row count how much in the loss, in the words of ms-swift: a base, and rules for answers."""

from typing import Annotated

from pydantic import Field

from swiftlet.api.base import Rule

BASES = ("default", "last_round", "all")
"""All answers; those behind the last turn of the user or of a tool; every token."""
RULES = ("react", "alpha_umi", "agentflan", "qwen", "hermes", "ignore_empty_think", "ignore_think_prefix")
"""Rules that are known by name."""

NAME = "[A-Za-z0-9_-]+"
LossScale = Annotated[
    list[Annotated[str, Field(max_length=256, pattern=rf"^{NAME}(\+{NAME})*$")]], Field(min_length=1, max_length=8)
]
LossScaleRules = Annotated[dict[str, Annotated[str, Field(min_length=1, max_length=4096)]], Field(max_length=8)]

_ALL_BASES = "|".join(BASES)
_BEGINS = f"matches('^({_ALL_BASES})([+]|$)')"
_LISTED = f"[{', '.join(repr(name) for name in RULES)}]"
_NONE_GIVEN = "!has(self.lossScale)"

TEMPLATE_RULES = (
    Rule(
        f"{_NONE_GIVEN} || self.lossScale.all(x, x.split('+').all(a, a in {_LISTED} || a in {list(BASES)!r}"
        " || (has(self.lossScaleRules) && a in self.lossScaleRules)))",
        f"lossScale names {', '.join(BASES)}, {', '.join(RULES)}, and rules of lossScaleRules; correct the name, or add"
        " the rule",
        "lossScale",
    ),
    Rule(
        f"{_NONE_GIVEN} || (self.lossScale.all(x, !x.matches('[+]({_ALL_BASES})([+]|$)'))"
        f" && self.lossScale.filter(x, x.{_BEGINS}).size() <= (self.lossScale[0].{_BEGINS} ? 1 : 0))",
        f"lossScale has one of {', '.join(BASES)} at most, and it comes first: move it there",
        "lossScale",
    ),
    Rule(
        "!has(self.lossScaleRules) || self.lossScaleRules.all(k, has(self.lossScale)"
        f" && self.lossScale.exists(x, k in x.split('+')) && !(k in {_LISTED}) && !(k in {list(BASES)!r}))",
        "rules of lossScaleRules have names of their own, and lossScale names each: rename it, or add it there",
        "lossScaleRules",
    ),
)
"""Of the block `template`."""

JOB_RULES = (
    Rule(
        "!has(self.template) || !has(self.template.lossScale) || !has(self.task) || has(self.task.sft)",
        "template.lossScale weighs tokens of answers, which task sft learns; leave it out: other tasks learn of whole"
        " texts and answers",
        "template.lossScale",
    ),
    Rule(
        "!has(self.template) || !has(self.template.lossScale) || !has(self.task) || !has(self.task.sft)"
        " || (has(self.task.sft.assistantOnlyLoss) && !self.task.sft.assistantOnlyLoss)"
        " == self.template.lossScale[0].matches('^all([+]|$)')",
        "task.sft.assistantOnlyLoss: false and lossScale: [all] say the same, every token; set both or neither",
        "template.lossScale",
    ),
)
"""Of a whole job."""
