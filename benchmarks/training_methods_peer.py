"""One run of a peer of a method other than SFT, in this process: `python training_methods_peer.py SETTINGS.json`.

Started in the environment of the peer; prints the figures as its last line. It reads rows.jsonl, see training_texts.
"""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training_peer import trl_settings
from training_watch import Watch

TRL = {
    "dpo": ("trl", "DPOConfig", "DPOTrainer"),
    "kto": ("trl", "KTOConfig", "KTOTrainer"),
    "rm": ("trl", "RewardConfig", "RewardTrainer"),
    "orpo": ("trl.experimental.orpo", "ORPOConfig", "ORPOTrainer"),
}
"""Where each method is in TRL, its configuration and its trainer."""
TEMPERATURE = 0.1
"""What our InfoNCE divides cosines by unless it is told otherwise; sentence-transformers multiplies."""


class MethodWatch(Watch):
    """The same figures of batches that have several texts a row."""

    def __init__(self) -> None:
        super().__init__()
        self.of_parts: list[float] = []
        """Losses, where they are put together from what the trainer says."""

    def useful(self, _trainer: Any, inputs: Any) -> int:
        """Tokens that are not padding, but for answers to other prompts and prompts that stand before answers too."""
        masks = {name: mask for name, mask in inputs.items() if name.endswith("attention_mask")}
        return sum(int(mask.sum()) for name, mask in masks.items() if not name.startswith(("KL_", "prompt_")))

    def watch_orpo(self) -> None:
        """Take ORPO's loss from its parts, as its paper has it: of answers alone, each of which counts once.

        TRL learns the prompts too, and each token counts once: its loss is another one.
        """
        from trl.experimental.orpo import ORPOTrainer

        plain = ORPOTrainer.store_metrics

        def store_metrics(trainer: Any, metrics: dict[str, float], *arguments: Any, **named: Any) -> None:
            self.of_parts.append(-metrics["logps/chosen"] - trainer.beta * metrics["log_odds_ratio"])
            plain(trainer, metrics, *arguments, **named)

        ORPOTrainer.store_metrics = store_metrics

    def figures(self) -> dict[str, Any]:
        """As Watch has them, with the losses that ours can be held against."""
        return {**super().figures(), "losses": self.of_parts or self.losses}


def _rows() -> Any:
    from datasets import Dataset

    return Dataset.from_list([json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()])


def _adapter(run: dict[str, Any], task_type: str) -> Any:
    from peft import LoraConfig

    return LoraConfig(r=run["rank"], lora_alpha=2 * run["rank"], target_modules="all-linear", task_type=task_type)


def _dtype(run: dict[str, Any]) -> Any:
    import torch

    return torch.bfloat16 if run["precision"] == "bf16" else torch.float32


def train_trl(run: dict[str, Any], settings: dict[str, Any]) -> None:
    """A plain script with the method's own trainer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(42)  # the layer that scores is drawn here, and ours with the same seed
    where, config, trainer = TRL[run["method"]]
    module = importlib.import_module(where)
    is_scored = run["method"] == "rm"
    auto, labels = (AutoModelForSequenceClassification, {"num_labels": 1}) if is_scored else (AutoModelForCausalLM, {})
    getattr(module, trainer)(
        model=auto.from_pretrained(run["model"], dtype=_dtype(run), **labels),
        args=getattr(module, config)(output_dir="trl", **settings),
        train_dataset=_rows(),
        processing_class=AutoTokenizer.from_pretrained(run["model"]),
        peft_config=_adapter(run, "SEQ_CLS" if is_scored else "CAUSAL_LM"),
    ).train()


def sentence_transformers_settings(run: dict[str, Any]) -> dict[str, Any]:
    """SentenceTransformerTrainingArguments: their defaults but for these."""
    settings = trl_settings(run)
    for name in ("max_length", "gradient_checkpointing"):  # of the model there, and off unless it is asked for
        del settings[name]
    return settings


def train_sentence_transformers(run: dict[str, Any], settings: dict[str, Any]) -> None:
    """A plain script: the last token's vector, and all other rows of the step as negatives."""
    import torch
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
    from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    torch.manual_seed(42)
    read = Transformer(
        run["model"],
        max_seq_length=run["length"],
        model_kwargs={"dtype": _dtype(run)},
        # Said, since it would put texts into the chat template of a tokenizer that has one.
        modality_config={"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
        module_output_name="token_embeddings",
    )
    pool = Pooling(read.get_embedding_dimension(), pooling_mode="lasttoken")
    model = SentenceTransformer(modules=[read, pool], device="cpu")
    model.add_adapter(_adapter(run, "FEATURE_EXTRACTION"))
    SentenceTransformerTrainer(
        model=model,
        args=Arguments(output_dir="sentence-transformers", **settings),
        train_dataset=_rows(),
        loss=MultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE),
    ).train()


SETTINGS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "sentence-transformers": sentence_transformers_settings,
    "trl": trl_settings,
}
PEERS = {"sentence-transformers": train_sentence_transformers, "trl": train_trl}


def main() -> None:
    """Train as the file says, and print the figures as the last line."""
    run = json.loads(Path(sys.argv[1]).read_text())
    watch = MethodWatch()
    watch.attach()
    if run["method"] == "orpo":
        watch.watch_orpo()
    PEERS[run["program"]](run, SETTINGS[run["program"]](run))
    print("\n" + json.dumps(watch.figures()), flush=True)


if __name__ == "__main__":
    main()
