"""Data of a training run: where rows are, and what they look like."""

from typing import Annotated, Literal

from pydantic import Field

from swiftlet.api.base import ApiModel, Positive
from swiftlet.api.v1alpha1.uris import DATA_FORMS_MARKED, DataUri

DataFormat = Literal[
    "auto",
    "messages",
    "sharegpt",
    "alpaca",
    "prompt_completion",
    "xlam",
    "text",
    "preference",
    "unpaired_preference",
    "relevance",
    "ranking",
]

ColumnName = Annotated[str, Field(min_length=1, max_length=256)]


class Columns(ApiModel):
    """Names of the columns in the file, where they are not the format's usual ones."""

    messages: ColumnName | None = Field(None, description="List of turns (messages, sharegpt).")
    role: ColumnName | None = Field(None, description="Key of the role within a turn.")
    content: ColumnName | None = Field(None, description="Key of the text within a turn.")
    prompt: ColumnName | None = Field(
        None, description="Prompt (prompt_completion), instruction (alpaca) or query (xlam, relevance, ranking)."
    )
    input: ColumnName | None = Field(None, description="Optional context of an instruction (alpaca).")
    completion: ColumnName | None = Field(
        None,
        description="Completion (prompt_completion), output (alpaca), answer (unpaired_preference) or calls (xlam).",
    )
    system: ColumnName | None = Field(None, description="System message of the row.")
    tools: ColumnName | None = Field(None, description="Tools that the turns may call, as a list or its JSON text.")
    text: ColumnName | None = Field(None, description="Plain text (text).")
    channel: ColumnName | None = Field(
        None, description="What the row's loss is told under, with enableChannelLoss of task sft or pretrain."
    )
    chosen: ColumnName | None = Field(None, description="Answer to prefer (preference).")
    rejected: ColumnName | None = Field(None, description="Answer, or list of answers, to avoid (preference).")
    label: ColumnName | None = Field(
        None,
        description="Whether the answer is good (unpaired_preference), how relevant texts are (relevance, ranking), or"
        " what task seqCls learns.",
    )
    positive: ColumnName | None = Field(None, description="Relevant text, or list of them (relevance).")
    negative: ColumnName | None = Field(None, description="Text, or list of them, that is not relevant (relevance).")
    documents: ColumnName | None = Field(None, description="List of texts that have scores (ranking).")
    margin: ColumnName | None = Field(
        None, description="Number by which the chosen answer is to be ahead (preference, of task rm)."
    )


class Dataset(ApiModel):
    """One data source of a run. Rows of all sources with `split: train` are mixed."""

    uri: DataUri = Field(description=f"{DATA_FORMS_MARKED}; jsonl, json, csv or parquet by its ending.")
    format: DataFormat = Field("auto", description="Shape of a row; found from the first rows when auto.")
    columns: Columns | None = Field(None, description="Column names that differ from the format's usual ones.")
    sample: Positive | None = Field(
        None, description="Use this many rows, drawn with the run's seed; more than there are repeats rows."
    )
    weight: Annotated[float, Field(gt=0, le=1000)] = Field(
        1.0, description="Share in the mix: how often each row is seen per epoch, relative to weight 1."
    )
    split: Literal["train", "eval"] = Field("train", description="Train on the rows, or report the loss on them.")
    placeholders: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = Field(
        default_factory=dict, description="Values for `{{NAME}}` placeholders in the rows' text."
    )
