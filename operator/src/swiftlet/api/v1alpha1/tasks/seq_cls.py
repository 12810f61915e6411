"""Classification of texts, and figures of them: transformers' sequence classification."""

from typing import Annotated, ClassVar

from pydantic import Field

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.tasks.block import ProblemType, TaskBlock

LabelName = Annotated[str, Field(min_length=1, max_length=64)]


class SeqClsTask(TaskBlock):
    """Classes or figures of texts. Names are those of transformers' configs and ms-swift."""

    learns: ClassVar[str] = "which classes a text is of, or figures that belong to it"
    formats: ClassVar[tuple[str, ...]] = ("labelled",)

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.labels) || !has(self.numLabels) || self.labels.size() == self.numLabels",
            "labels must have numLabels names; leave numLabels out",
            "labels",
        ),
        Rule(
            "!has(self.labels) || self.labels.all(x, self.labels.exists_one(d, d == x))",
            "labels must differ from each other",
            "labels",
        ),
    )

    num_labels: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="How many classes or figures there are; as many as labels, else 2 classes or 1 figure."
    )
    labels: Annotated[list[LabelName], Field(min_length=1, max_length=256)] | None = Field(
        None, description="Their names, in the order of the ids; LABEL_0, LABEL_1, … when absent."
    )
    problem_type: ProblemType = Field(
        "single_label_classification",
        description="One class of each text (cross-entropy), any number of them (binary cross-entropy of each), or"
        " figures (mean squared error).",
    )

    @property
    def score_names(self) -> tuple[str, ...]:
        """Of the classes or figures, by id."""
        count = self.num_labels or (1 if self.problem_type == "regression" else 2)
        return tuple(self.labels) if self.labels else tuple(f"LABEL_{number}" for number in range(count))
