"""Weights that ms-swift gives to tokens: run by its environment's interpreter, JSON in and out.

    python loss_scale_peer.py < ASKED > WEIGHTS

ASKED: {"folders": {name: folder}, "own": {name: text of a rule's file}, "cases": [case, ...]}, for cases see
loss_scale_cases.Case.
WEIGHTS: of each folder, of each case [[id, weight], ...], or the text of an error.
"""

import contextlib
import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any


def main() -> None:
    """Read, encode, write."""
    asked = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as scratch:
        _learn(asked["own"], Path(scratch))
        found = {name: _of_folder(folder, asked["cases"]) for name, folder in asked["folders"].items()}
    print(json.dumps(found))


def _learn(own: dict[str, str], folder: Path) -> None:
    """Make rules known by name, as a plugin of a user does."""
    from swift.loss_scale.base import ConfigLossScale
    from swift.loss_scale.mapping import loss_scale_map

    for name, text in own.items():
        file = folder / f"{name}.json"
        file.write_text(text)
        loss_scale_map[name] = type(name, (ConfigLossScale,), {"loss_scale_config": str(file)})


def _of_folder(folder: str, cases: list[dict[str, Any]]) -> list[Any]:
    from swift import get_processor, get_template

    processor = get_processor(folder, model_type="llama")

    @cache
    def template_of(chain: str, agent: str) -> Any:
        made = get_template(processor, template_type="chatml", loss_scale=chain, agent_template=agent or None)
        made.set_mode("train")
        return made

    return [_weights(template_of(case["chain"], case["agent"]), case["row"]) for case in cases]


def _weights(template: Any, row: dict[str, Any]) -> list[tuple[int, float]] | str:
    try:
        encoded = template.encode(json.loads(json.dumps(row)))  # it changes what it is given
    except Exception as error:  # whatever it refuses a row with
        return f"{type(error).__name__}: {error}"
    labelled = [float(label != -100) for label in encoded["labels"]]
    scales = encoded.get("loss_scale") or labelled
    return [(token, scale * label) for token, scale, label in zip(encoded["input_ids"], scales, labelled, strict=True)]


if __name__ == "__main__":
    main()
