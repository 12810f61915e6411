"""What is asked of the block of a task."""

from typing import ClassVar, Literal

from swiftlet.api.base import ApiModel, Rule

HeadName = Literal["tokens", "score", "pool"]
ProblemType = Literal["single_label_classification", "multi_label_classification", "regression"]


class TaskBlock(ApiModel):
    """One block of `spec.task`. What is not overridden are the answers of one that learns tokens of conversations."""

    learns: ClassVar[str] = ""
    """What is learnt from which rows, in a line."""
    formats: ClassVar[tuple[str, ...]] = ("messages",)
    """Of its rows, its own first; each stands for its like."""
    has_own_formats: ClassVar[bool] = False
    """It learns from rows of these formats alone, and tasks without them cannot."""
    reads_texts: ClassVar[bool] = False
    """Its rows are texts, not turns."""
    compared: ClassVar[tuple[str, ...]] = ()
    """What the sequences that a row becomes are to each other; the last is that of all that follow."""
    job_rules: ClassVar[tuple[Rule, ...]] = ()
    """Of a whole job, about this task and other parts of its spec."""
    scored_as: ClassVar[ProblemType] = "regression"
    """What its scores are, where no field says it."""

    @property
    def head(self) -> HeadName:
        """What the model makes of texts: log-probabilities of their tokens, scores or vectors."""
        return "score" if self.score_names else "tokens"

    @property
    def score_names(self) -> tuple[str, ...]:
        """Of the scores that each text gets; none with another head."""
        return ()

    @property
    def learns_tokens(self) -> bool:
        """Whether what is learnt are tokens of texts, and not one thing of each text."""
        return self.head == "tokens"

    @property
    def has_channels(self) -> bool:
        """Whether rows say where they are from, so that losses are told apart by it."""
        return bool(getattr(self, "enable_channel_loss", None))

    @property
    def has_targets(self) -> bool:
        """Whether rows say something beside their text: what is to come out for them, or their channel."""
        return self.head != "tokens" or self.has_channels

    @property
    def sequences(self) -> int:
        """Most sequences of tokens that a row becomes."""
        return 2 if self.mismatches else len(self.compared) or 1

    @property
    def mismatches(self) -> bool:
        """Whether a row has another row's answer behind its own, which is not learnt: the loss of a step compares with
        what the model makes of those."""
        return False


class PreferenceBlock(TaskBlock):
    """One that learns from pairs of answers."""

    formats: ClassVar[tuple[str, ...]] = ("preference",)
    has_own_formats: ClassVar[bool] = True
    compared: ClassVar[tuple[str, ...]] = ("chosen", "rejected")
