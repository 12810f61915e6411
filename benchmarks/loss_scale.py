"""Weights of tokens beside ms-swift's own: the same rows, rules and tokenizers through both programs' templates.

    python benchmarks/loss_scale.py [--count 144] [--seed 7] [--tokenizers SmolLM2 Qwen] [--examples]

Prints how many rows have the same tokens' weights, and why the others differ; the exit code is 1 where nobody knows
why. --examples: one of each.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from loss_scale_cases import OWN, Case, cases
from loss_scale_compare import EVERYWHERE, UNKNOWN, Token, differences
from real_tokenizers import TOKENIZERS, folders
from swiftlet.api.v1alpha1.dataset import Dataset
from swiftlet.api.v1alpha1.finetunejob import Template
from swiftlet_trainer.data.encode import IGNORED, Encoder
from swiftlet_trainer.data.tally import Tally
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.segments import Segments
from training_environments import python_of, versions
from transformers.convert_slow_tokenizer import bytes_to_unicode

MOST = 10**6
"""Tokens of a row."""
BYTES = {char: byte for byte, char in bytes_to_unicode().items()}


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=144, help="of each kind of row, for each tokenizer")
    options.add_argument("--seed", type=int, default=7, help="other rows")
    options.add_argument("--tokenizers", nargs="+", choices=TOKENIZERS, default=[*TOKENIZERS])
    options.add_argument("--examples", action="store_true")
    asked = options.parse_args()
    made = cases(asked.count, asked.seed)
    with tempfile.TemporaryDirectory() as scratch:
        known = folders(Path(scratch), asked.tokenizers)
        peers = theirs(known, made)
        found = {name: of_tokenizer(folder, made, peers[name], Path(scratch)) for name, folder in known.items()}
    examples = {why: (name, what) for name, each in found.items() for one in each for why, what in one.items()}
    print(table(made, found))
    for why, (name, what) in examples.items():
        if why == UNKNOWN or asked.examples:
            print(f"\n{why}\n  {name}: {what}")
    print(f"\nms-swift's environment: {versions('ms-swift')}")
    return 1 if UNKNOWN in examples else 0


def theirs(known: dict[str, Path], made: Sequence[Case]) -> dict[str, list[Any]]:
    """Of each tokenizer, ms-swift's weights of each case as it is, and of each without its marks."""
    plain = [{**case.asked(), "row": case.plain} for case in made]
    asked = {
        "folders": {name: str(folder) for name, folder in known.items()},
        "own": OWN,
        "cases": [case.asked() for case in made] + plain,
    }
    command = [python_of("ms-swift"), str(Path(__file__).parent / "loss_scale_peer.py")]
    done = subprocess.run(
        command, input=json.dumps(asked), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    weights: dict[str, list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return weights


def of_tokenizer(folder: Path, made: Sequence[Case], peers: Sequence[Any], scratch: Path) -> list[dict[str, str]]:
    """Of each case why weights differ, each with an example."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    own = ours(tokenizer, made, scratch / "rows.jsonl")
    return [
        {UNKNOWN: f"{case} ms-swift: {peer}"}
        if isinstance(peer, str)
        else differences(one, read(tokenizer, peer), read(tokenizer, plain), case.marks, case.is_whole)
        for case, one, peer, plain in zip(made, own, peers[: len(made)], peers[len(made) :], strict=True)
    ]


def ours(tokenizer: Any, made: Sequence[Case], file: Path) -> list[list[Token] | str]:
    """Each token's bytes and weight, by the way that a data set goes; or why the row is left out."""
    segments = Segments(tokenizer)

    @cache
    def encoder_of(chain: str, agent: str) -> Encoder:
        template = Template(max_length=MOST, loss_scale=[chain], loss_scale_rules=OWN, agent_template=agent or None)
        rows = SftRows(tokenizer, segments, template, assistant_only=not chain.startswith("all"))
        return Encoder(rows, segments, template)

    def of_case(case: Case) -> list[Token] | str:
        file.write_text(json.dumps(case.row))
        tally = Tally("row")
        encoder = encoder_of(case.chain, case.agent)
        found = [row for batch in encoder.encode(Dataset(uri=str(file)), file, tally) for row in batch]
        if not found:
            return " ".join([*tally.drops, *tally.problems])
        weights = found[0].weights or [float(label != IGNORED) for label in found[0].labels]
        return read(tokenizer, list(zip(found[0].input_ids, weights, strict=True)))

    return [of_case(case) for case in made]


def read(tokenizer: Any, row: Sequence[tuple[int, float]]) -> list[Token]:
    """With the bytes of each token."""
    tokens: list[str] = tokenizer.convert_ids_to_tokens([token for token, _ in row])
    return [(bytes_of(token), weight) for token, (_, weight) in zip(tokens, row, strict=True)]


def bytes_of(token: str) -> bytes:
    """What a token is of, in a byte-level vocabulary and in SentencePiece's."""
    if found := re.fullmatch("<0x([0-9A-F]{2})>", token):
        return bytes.fromhex(found[1])
    if "▁" in token or not set(token) <= BYTES.keys():
        return token.replace("▁", " ").encode()
    return bytes(BYTES[char] for char in token)


def table(made: Sequence[Case], found: dict[str, list[dict[str, str]]]) -> str:
    """Rows of each kind and tokenizer, and how many of them have which difference."""
    kinds = list(dict.fromkeys(case.kind for case in made))
    lines = [f"{'rows':20}{'tokenizer':14}{'compared':>10}{'the same':>10}{'explained':>11}{'unknown':>9}"]
    for kind in kinds:
        for name, each in found.items():
            own = [whys for case, whys in zip(made, each, strict=True) if case.kind == kind]
            same, unknown = sum(whys.keys() <= EVERYWHERE for whys in own), sum(UNKNOWN in whys for whys in own)
            counts = f"{len(own):10,}{same:10,}{len(own) - same - unknown:11,}{unknown:9,}"
            lines.append(f"{kind:20}{name:14}{counts}")
    told = Counter(why for each in found.values() for whys in each for why in whys if why != UNKNOWN)
    return "\n".join(
        [
            *lines,
            "",
            "differences by rows, several of which may be in one:",
            *(f"  {count:6,}  {why}" for why, count in told.most_common()),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
