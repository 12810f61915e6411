"""What an evaluation asks, how answers are scored, and what the figures are called."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from swiftlet.api.base import ApiModel, DnsLabel, Positive, Rule, one_of
from swiftlet.api.v1alpha1.agents import AgentTemplateName
from swiftlet.api.v1alpha1.uris import DataUri

GenerationMetric = Literal["exact_match", "contains", "rouge_l"]
RetrievalMetric = Literal["mrr", "ndcg_at_10", "recall_at_1", "recall_at_10"]
ClassificationMetric = Literal["accuracy", "f1_macro", "f1_micro", "precision_macro", "recall_macro"]
RegressionMetric = Literal["mse", "mae", "pearson", "spearman"]
AgentMetric = Literal["call_accuracy", "plan_em", "act_em", "hallu_rate", "avg_f1", "rouge_l"]
Metric = Literal[
    GenerationMetric,
    "perplexity",
    ClassificationMetric,
    "preference_accuracy",
    RetrievalMetric,
    RegressionMetric,
    AgentMetric,
]


class GenerationSuite(ApiModel):
    """Generate an answer to each prompt (greedy) and compare it with the reference.

    Rows: `messages` or `prompt`, and `answer` (text, or a list of which any counts).
    """

    uri: DataUri = Field(description="jsonl, json, csv or parquet, by its ending.")
    metrics: Annotated[list[GenerationMetric], Field(min_length=1, max_length=3)] = Field(
        default_factory=lambda: ["contains"],  # type: ignore[arg-type]
        description="exact_match and contains ignore case, composition (NFC) and outer space; rouge_l is the F-measure"
        " (Lin 2004) of words, which are characters in scripts without blanks.",
    )
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = Field(64, description="Longest answer, in tokens.")
    system: Annotated[str, Field(max_length=8192)] | None = Field(None, description="System message for every prompt.")


class PerplexitySuite(ApiModel):
    """exp of the mean negative log-likelihood per token. Rows: `text`, or `messages` (assistant turns count)."""

    uri: DataUri = Field(description="jsonl, json, csv or parquet, by its ending.")
    max_length: Annotated[int, Field(ge=8, le=1048576)] = Field(
        1024, description="Longest row in tokens; the rest is cut."
    )


class MultipleChoiceSuite(ApiModel):
    """Accuracy of the choice with the highest log-likelihood per byte.

    Rows: `question`, `choices`, and `answer` (index of the right choice).
    """

    uri: DataUri = Field(description="jsonl, json, csv or parquet, by its ending.")


class PreferenceSuite(ApiModel):
    """Share of rows whose chosen answer is likelier than every rejected one.

    Rows: pairs of answers, in every shape that task dpo learns from.
    """

    uri: DataUri = Field(description="jsonl, json, csv or parquet, by its ending.")
    length_normalized: bool = Field(
        True, description="Compare log-probabilities per token; false compares those of whole answers."
    )


class RetrievalSuite(ApiModel):
    """Rank documents for each query by the cosine of their embeddings, or by the scores of a reranker, which reads both
    together; one that is relevant should come first.

    Rows: a query with documents that are relevant and others that are not, in every shape that training reads. Reported
    are means over queries: mrr (1 / rank of the first relevant document; Voorhees 1999), ndcg_at_10 (Järvelin &
    Kekäläinen 2002), recall_at_1 and recall_at_10 (share of the relevant documents that are among the first).
    """

    uri: DataUri = Field(description="jsonl, json, csv or parquet, by its ending.")
    corpus: Literal["all", "row"] = Field(
        "all", description="Documents that are ranked: those of all rows, or those of the query's own row."
    )
    max_length: Annotated[int, Field(ge=8, le=1048576)] = Field(
        512, description="Longest text in tokens; the rest is cut."
    )


class ClassificationSuite(ApiModel):
    """Which classes a classifier (task seqCls) gives to texts.

    Rows: texts or conversations with `label`, the name or number of a class, or a list of them. Reported are accuracy
    (share of texts that get their class; where they may have several, exactly theirs); f1_macro, precision_macro and
    recall_macro (means over the classes that texts have or get; van Rijsbergen 1979); and f1_micro (of all classes
    together, which is the accuracy where texts have one class each).
    """

    uri: DataUri = Field(description="jsonl, json, csv or parquet, by its ending.")
    max_length: Annotated[int, Field(ge=8, le=1048576)] = Field(
        1024, description="Longest row in tokens; the rest is cut."
    )


class RegressionSuite(ApiModel):
    """Which figures a model (task seqCls with problemType regression) gives to texts.

    Rows: texts or conversations with `label`, a number, or as many as there are figures. Reported are mse and mae
    (squared and absolute errors), and pearson and spearman (correlations; of ranks the latter; NaN where all texts get
    the same). Of several figures all are means.
    """

    uri: DataUri = Field(description="jsonl, json, csv or parquet, by its ending.")
    max_length: Annotated[int, Field(ge=8, le=1048576)] = Field(
        1024, description="Longest row in tokens; the rest is cut."
    )


class ToolCallingSuite(ApiModel):
    """What an agent does next (greedy): which tools it calls, with what, or what it answers.

    Rows: with agentTemplate a conversation as training reads it, whose last turn is the step. Without, `messages` up
    to a step, `tools`, and `target`, the step in ReAct's words (`Action:`, `Action Input:`, `Final Answer:`, or
    ToolBench's call of Finish), which is the last message where there is no target. Reported are
    call_accuracy (share of steps whose calls are right: names, arguments, types and values, in any order, none where
    none is due; BFCL, Patil et al. 2025) and ToolBench's figures (SWIFT, arXiv:2408.05517): plan_em (whether it calls,
    answers or gives up as it should), act_em (names of tools, where one is due), avg_f1 (their arguments), hallu_rate
    (share of steps that call a tool that is not there) and rouge_l (of answers). Each counts the rows that it is about.
    """

    uri: DataUri = Field(description="jsonl, json, csv or parquet, by its ending.")
    agent_template: AgentTemplateName | None = Field(
        None,
        description="How tools, calls and results are written into prompts, and calls read from answers, as"
        " template.agentTemplate of a FineTuneJob writes them (agent-templates.md); prompts are asked as the rows have"
        " them, and ReAct's words are read, when absent.",
    )
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = Field(256, description="Longest step, in tokens.")


class Suite(ApiModel):
    """One set of questions and how they are scored."""

    rules: ClassVar[tuple[Rule, ...]] = (
        one_of(
            "generation",
            "perplexity",
            "multipleChoice",
            "preference",
            "retrieval",
            "classification",
            "regression",
            "toolCalling",
        ),
    )

    name: DnsLabel | None = Field(None, description="Name in results; the block's name when absent.")
    generation: GenerationSuite | None = None
    perplexity: PerplexitySuite | None = None
    multiple_choice: MultipleChoiceSuite | None = None
    preference: PreferenceSuite | None = None
    retrieval: RetrievalSuite | None = None
    classification: ClassificationSuite | None = None
    regression: RegressionSuite | None = None
    tool_calling: ToolCallingSuite | None = None
    limit: Positive | None = Field(None, description="Use the first rows only.")
    placeholders: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = Field(
        default_factory=dict, description="Values for `{{NAME}}` placeholders in the rows' text."
    )


SUITE_NAMES: Mapping[str, str] = {
    "generation": "generation",
    "perplexity": "perplexity",
    "multiple_choice": "multiple-choice",
    "preference": "preference",
    "retrieval": "retrieval",
    "classification": "classification",
    "regression": "regression",
    "tool_calling": "tool-calling",
}
"""Blocks of a suite, and the name in results of a suite that has none."""
SUITE_METRICS: Mapping[str, tuple[Metric, ...]] = {
    "perplexity": ("perplexity",),
    "multiple_choice": ("accuracy",),
    "preference": ("preference_accuracy",),
    "retrieval": get_args(RetrievalMetric),
    "classification": get_args(ClassificationMetric),
    "regression": get_args(RegressionMetric),
    "tool_calling": get_args(AgentMetric),
}
"""What a suite reports, by its block; a generation suite reports its `metrics`."""
