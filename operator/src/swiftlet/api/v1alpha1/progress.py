"""What a run says of itself while it goes."""

from typing import Annotated

from pydantic import Field

from swiftlet.api.base import ApiModel
from swiftlet.api.v1alpha1.tasks.channels import MOST_CHANNELS


class Progress(ApiModel):
    """Where the run is."""

    step: int = Field(0, description="Optimizer steps done.")
    total_steps: int = Field(0, description="Optimizer steps in all.")
    percent: int = Field(0, description="Share that is done.")
    epoch: str | None = Field(None, description="Passes over the data so far.")
    loss: str | None = Field(
        None, description="Loss of the last step: mean over tokens, in nats, or over answers or pairs of them."
    )
    eval_loss: str | None = Field(None, description="The same on held-out rows.")
    channel_losses: Annotated[dict[str, str], Field(max_length=MOST_CHANNELS)] | None = Field(
        None, description="Loss by channel, of the last step that had rows of it; of enableChannelLoss."
    )
    eval_channel_losses: Annotated[dict[str, str], Field(max_length=MOST_CHANNELS)] | None = Field(
        None, description="The same on held-out rows."
    )
    learning_rate: str | None = Field(None, description="Of the last step.")
    grad_norm: str | None = Field(None, description="2-norm of the last step's gradient, before it was clipped.")
    entropy: str | None = Field(
        None,
        description="Mean entropy of the predictions at the last step's labelled tokens, in nats; of tokenMetrics.",
    )
    mean_token_accuracy: str | None = Field(
        None, description="Share of the last step's labelled tokens that were the likeliest; of tokenMetrics."
    )
    accuracy: str | None = Field(
        None,
        description="Share of the last step's texts that got their class; where they may have several, all of them.",
    )
    eval_accuracy: str | None = Field(None, description="The same of held-out texts.")
    rewards_chosen: str | None = Field(
        None,
        description="Mean reward of the last step's chosen (good) answers: beta x (log p - log p of the reference), or"
        " the score of a reward model.",
    )
    rewards_rejected: str | None = Field(None, description="The same of the rejected (bad) answers.")
    rewards_margins: str | None = Field(None, description="Mean of the chosen answers' rewards less the others'.")
    rewards_accuracies: str | None = Field(
        None, description="Share of the last step's pairs whose chosen answer has the higher reward."
    )
    kl: str | None = Field(
        None, description="Mean log-ratio to the reference of answers to other prompts, in the last step; 0 at least."
    )
    eval_rewards_margins: str | None = Field(None, description="rewardsMargins of held-out pairs.")
    eval_rewards_accuracies: str | None = Field(None, description="rewardsAccuracies of held-out pairs.")
    tokens_per_second: str | None = Field(None, description="Tokens without padding, over all processes.")
    mfu: str | None = Field(
        None,
        description="Model FLOPs utilisation: share of the GPUs' bf16 arithmetic that the matrix products of the last"
        " steps needed, tokensPerSecond times the operations of a token by the peak of the data sheet. Absent on CPUs,"
        " on GPUs whose peak is not known, in fp32, for experts, and for tasks other than pretrain and sft.",
    )
    eta_seconds: int | None = Field(None, description="Seconds until the last step, at the present pace.")
    checkpoint_step: int | None = Field(None, description="Step of the newest complete checkpoint.")
    message: str | None = Field(None, description="What is going on outside the steps, such as loading the model.")
