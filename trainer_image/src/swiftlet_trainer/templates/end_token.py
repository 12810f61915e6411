"""The token that ends an answer, beside the tokens that stop generation.

A chat template ends each turn with a control token, and that is what a model learns to say when it has answered. A base
model's files often name another one (Qwen2.5: `<|endoftext|>`, with a template of `<|im_end|>`): generation would then
run on past the answer to its limit.
"""

import json
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from swiftlet_trainer.templates.special import pattern_of, special_tokens

ANSWER = "Eleven, I believe."
CHAT = [{"role": "user", "content": "What is seven plus four?"}, {"role": "assistant", "content": ANSWER}]
GENERATION_CONFIG = "generation_config.json"


def learnt_end(tokenizer: Any) -> int | None:
    """Id of the first control token that the tokenizer's chat template puts after an answer; None without one."""
    if not tokenizer.chat_template:
        return None
    try:
        text: str = tokenizer.apply_chat_template(CHAT, tokenize=False)
    except (TemplateError, TypeError, KeyError, IndexError, ValueError):
        return None  # Whoever needs the template says what is wrong with it.
    _, found, behind = text.rpartition(ANSWER)
    token = pattern_of(special_tokens(tokenizer)).search(behind) if found else None
    return int(tokenizer.convert_tokens_to_ids(token[0])) if token else None


def stopping_tokens(configured: int | list[int] | None, tokenizer: Any) -> list[int]:
    """Ids that end an answer, sorted: those that are configured, the tokenizer's own, and the one that is learnt.

    configured: eos_token_id of a generation config.
    """
    listed = configured if isinstance(configured, list) else [configured]
    return sorted({int(one) for one in [*listed, tokenizer.eos_token_id, learnt_end(tokenizer)] if one is not None})


def configured_end(folder: Path) -> int | list[int] | None:
    """eos_token_id of the model in `folder`, as transformers finds it: in generation_config.json, else config.json."""
    for name in (GENERATION_CONFIG, "config.json"):
        file = folder / name
        if file.is_file():
            config = json.loads(file.read_text(encoding="utf-8"))
            found: int | list[int] | None = config.get(
                "eos_token_id", (config.get("text_config") or {}).get("eos_token_id")
            )
            return found
    return None


def end_warning(folder: Path, tokenizer: Any) -> str | None:
    """What a user should know when the model in `folder` would not stop at the end that chats teach it."""
    end, configured = learnt_end(tokenizer), configured_end(folder)
    known = [*(configured if isinstance(configured, list) else [configured]), tokenizer.eos_token_id]
    if end is None or end in known:
        return None
    named = ", ".join(str(tokenizer.convert_ids_to_tokens(one)) for one in dict.fromkeys(known) if one is not None)
    return (
        f"the chat template ends answers with {tokenizer.convert_ids_to_tokens(end)}, the model's files with "
        f"{named or 'nothing'}: evaluation, serving and the artifact's {GENERATION_CONFIG} stop at either"
    )
