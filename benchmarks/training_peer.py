"""One run of a peer, or of a bare loop, in this process: `python training_peer.py SETTINGS.json`.

Started in the environment of the peer; prints the figures as its last line. Files that it reads: tokens.jsonl (token
ids and labels) for those that take tokens, rows.jsonl (chats) for those with a template of their own.
"""

import json
import sys
from pathlib import Path
from typing import Any

from training_watch import Watch

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
"""What the model's own template begins a chat with."""


def trl_settings(run: dict[str, Any]) -> dict[str, Any]:
    """TRL's SFTConfig, or that of another method: its defaults but for these."""
    return {
        "num_train_epochs": run["epochs"],
        **({"lr_scheduler_type": "constant"} if run["constant_rate"] else {}),
        "per_device_train_batch_size": run["packed_batch"] if run["packed"] else run["batch"],
        "learning_rate": run["rate"],
        "max_length": run["length"],
        **({"packing": run["packed"]} if run["method"] == "sft" else {}),
        "bf16": run["precision"] == "bf16",
        "use_cpu": not run["gpu"],
        **({"use_liger_kernel": True} if run["liger"] else {}),
        **({"torch_compile": True} if run["compiled"] else {}),
        "gradient_checkpointing": False,
        "save_strategy": "no",
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "seed": 42,
    }


def train_trl(run: dict[str, Any], settings: dict[str, Any]) -> None:
    """A plain script: supervised fine-tuning on the same token ids and labels."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    if run["attention"] == "flash_attention_2":
        import flash_attention

        flash_attention.provide()
    torch.manual_seed(42)
    rows = [json.loads(line) for line in Path("tokens.jsonl").read_text().splitlines()]
    adapter = LoraConfig(r=run["rank"], lora_alpha=2 * run["rank"], target_modules="all-linear", task_type="CAUSAL_LM")
    dtype = torch.bfloat16 if run["precision"] == "bf16" else torch.float32
    SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(run["model"], dtype=dtype, attn_implementation=run["attention"]),
        args=SFTConfig(output_dir="trl", **settings),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(run["model"]),
        peft_config=None if run["tuner"] == "full" else adapter,
    ).train()


def ms_swift_settings(run: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `swift sft`. Packing needs flash attention there, which CPUs do not have."""
    return {
        "model_type": "llama",
        "template": "chatml",
        "system": SYSTEM,
        "tuner_type": run["tuner"],
        "lora_rank": run["rank"],
        "lora_alpha": 2 * run["rank"],
        "target_modules": "all-linear",
        "torch_dtype": "bfloat16" if run["precision"] == "bf16" else "float32",
        "per_device_train_batch_size": run["batch"],
        "gradient_accumulation_steps": 1,
        "num_train_epochs": 1,
        "learning_rate": run["rate"],
        "max_length": run["length"],
        "group_by_length": True,
        "split_dataset_ratio": 0,
        "gradient_checkpointing": False,
        "use_cpu": True,
        "save_strategy": "no",
        "logging_steps": 1,
        "report_to": "none",
        "seed": 42,
    }


def train_ms_swift(run: dict[str, Any], settings: dict[str, Any]) -> None:
    """`swift sft`."""
    from swift import sft_main

    spoken = {"model": run["model"], "dataset": "rows.jsonl", "output_dir": "ms-swift", **settings}
    sft_main([word for name, value in spoken.items() for word in (f"--{name}", str(value))])


def llamafactory_settings(run: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `llamafactory-cli train`."""
    return {
        "stage": "sft",
        "do_train": True,
        "template": "smollm2",
        "finetuning_type": run["tuner"],
        **({} if run["tuner"] == "full" else {"lora_rank": run["rank"], "lora_alpha": 2 * run["rank"]}),
        **({} if run["tuner"] == "full" else {"lora_target": "all"}),
        "cutoff_len": run["length"],
        "packing": run["packed"],
        "neat_packing": run["packed"],
        "flash_attn": "sdpa",
        "bf16": run["precision"] == "bf16",
        "per_device_train_batch_size": 1 if run["packed"] else run["batch"],
        "gradient_accumulation_steps": 1,
        "num_train_epochs": 1,
        "learning_rate": run["rate"],
        "disable_gradient_checkpointing": True,
        "use_cpu": True,
        "save_strategy": "no",
        "logging_steps": 1,
        "report_to": "none",
        "seed": 42,
    }


def train_llamafactory(run: dict[str, Any], settings: dict[str, Any]) -> None:
    """`llamafactory-cli train`, without its launcher."""
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    about = {"file_name": "rows.jsonl", "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}
    Path("dataset_info.json").write_text(json.dumps({"rows": about}))
    from llamafactory.train.tuner import run_exp

    files = {"model_name_or_path": run["model"], "dataset": "rows", "dataset_dir": ".", "output_dir": "llamafactory"}
    run_exp({**files, **settings})


def loop_settings(run: dict[str, Any]) -> dict[str, Any]:
    """What the bare loop does."""
    return {
        "weights": run["precision"],
        "adapters": None if run["tuner"] == "full" else "fp32, as PEFT makes them",
        "batches": f"{run['batch']} rows in random order, padded",
        "optimizer": "AdamW",
        "clip": 1.0,
    }


def train_loop(run: dict[str, Any], watch: Watch) -> None:
    """What one writes without a trainer: padded batches, the model's own loss, AdamW."""
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.nn.utils.rnn import pad_sequence
    from transformers import AutoModelForCausalLM

    torch.manual_seed(42)
    rows = [json.loads(line) for line in Path("tokens.jsonl").read_text().splitlines()]
    dtype = torch.bfloat16 if run["precision"] == "bf16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(run["model"], dtype=dtype)
    if run["tuner"] == "lora":
        adapter = LoraConfig(r=run["rank"], lora_alpha=2 * run["rank"], target_modules="all-linear")
        model = get_peft_model(model, adapter)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=run["rate"])
    order = torch.randperm(len(rows)).tolist()
    model.train()
    for start in range(0, len(rows), run["batch"]):
        watch.step_begins()
        some = [rows[number] for number in order[start : start + run["batch"]]]
        ids, labels = ([torch.tensor(row[name]) for row in some] for name in ("input_ids", "labels"))
        mask = pad_sequence([torch.ones_like(row) for row in ids], batch_first=True)
        loss = model(
            input_ids=pad_sequence(ids, batch_first=True),
            attention_mask=mask,
            labels=pad_sequence(labels, batch_first=True, padding_value=-100),
        ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        watch.count(int(mask.sum()))
        watch.losses.append(float(loss.detach()))
        watch.step_done(last=start + run["batch"] >= len(rows))


SETTINGS = {
    "trl": trl_settings,
    "ms-swift": ms_swift_settings,
    "llamafactory": llamafactory_settings,
    "loop": loop_settings,
}
PEERS = {"trl": train_trl, "ms-swift": train_ms_swift, "llamafactory": train_llamafactory}


def train(run: dict[str, Any]) -> dict[str, Any]:
    """Train as `run` says, in this folder; the figures."""
    watch = Watch()
    if run["program"] == "loop":
        train_loop(run, watch)
    else:
        watch.attach()
        PEERS[run["program"]](run, SETTINGS[run["program"]](run))
    return watch.figures()


def main() -> None:
    """Train as the file says, and print the figures as the last line."""
    print("\n" + json.dumps(train(json.loads(Path(sys.argv[1]).read_text()))), flush=True)


if __name__ == "__main__":
    main()
