"""Rows as segments: what a model is given and what it answers are encoded apart.

Tokens of a prompt and its answer never grow together then: what is learnt begins with the very tokens that follow the
prompt when the model is used. A row goes through the tokenizer as one text all the same, with a control token of our
own (SEAM) between its segments, so that all else is encoded in its context.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from tokenizers import AddedToken, Encoding, Tokenizer

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Message
from swiftlet_trainer.templates.factors import Characters, Floats, Piece
from swiftlet_trainer.templates.special import SEAM, SpecialTokens, pattern_of

Span = tuple[int, int]
"""Half-open range of characters."""


class UnencodableError(ValueError):
    """Text that this tokenizer cannot encode as what it is; the text says why."""


@dataclass(frozen=True)
class Rendered:
    """A text as a model reads it.

    spans: ranges that are answers, in order. weights: of each in the loss, 0 where it is not learnt; of a plain text
    the one that it has; None: 1. is_shielded: whether it holds
    stand-ins of SpecialTokens. is_plain: a text that no template wrote, which begins and ends as the tokenizer has it.
    targets: what is to come out for its row, or the number of its channel, where the row says so. pieces: of the text,
    whose tokens count more or less than those around them. calls: which of the spans are calls of tools. messages,
    tools: what a chat template wrote it from.
    """

    text: str
    spans: list[Span]
    weights: list[float] | None = None
    is_shielded: bool = False
    is_plain: bool = False
    targets: tuple[float, ...] | None = None
    pieces: tuple[Piece, ...] = ()
    calls: tuple[int, ...] = ()
    messages: Sequence[Message] = field(default=(), compare=False)
    tools: Sequence[Tool] = field(default=(), compare=False)


@dataclass(frozen=True)
class Weighed:
    """Token ids of a row's segments; factors: of the weight of each token of all of them, 1 each if None."""

    parts: list[list[int]]
    factors: Floats | None = None


@dataclass(frozen=True)
class _Prefix:
    """What a tokenizer writes in front of texts (SentencePiece: a blank). everywhere: also behind each added token.
    always: also where there is a blank already."""

    text: str
    everywhere: bool
    always: bool


class Segments:
    """Encodes rendered texts with the tokenizer of a model."""

    def __init__(self, tokenizer: Any) -> None:
        self.special = SpecialTokens(tokenizer)
        self._tokenizer = tokenizer
        self._whole = tokenizer.backend_tokenizer.to_str()
        state = json.loads(self._whole)
        self._prefix = _without_prefix(state)
        self._bare = json.dumps(state) if self._prefix else self._whole
        added = sorted(state["added_tokens"], key=lambda token: -len(token["content"]))
        self._swallowing = tuple(token["content"] for token in added if token["rstrip"])
        self._added = pattern_of(())
        if self._prefix and added:
            self._added = re.compile("|".join(re.escape(one["content"]) + r"\s*" * one["rstrip"] for one in added))
        self._unknown = {
            state["model"].get("unk_token"),
            tokenizer.unk_token,
        }  # what text may become, control token or not
        control = [token for token in self.special.tokens if token not in self._unknown]
        self._control = frozenset(tokenizer.convert_tokens_to_ids(control))
        ids = tokenizer("a")["input_ids"]
        # A chat template writes the beginning-of-text token itself; plain text has it where the tokenizer puts one.
        has_bos = tokenizer.bos_token_id is not None and ids[0] == tokenizer.bos_token_id
        self.bos: list[int] = [tokenizer.bos_token_id] if has_bos else []
        self.eos: list[int] = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
        self.end = self.eos if ids[-1:] == self.eos else []
        """What the tokenizer itself puts behind a text: models that embed texts have it so."""

    def encode(self, rows: Sequence[Rendered]) -> list[list[list[int]] | UnencodableError]:
        """Token ids of each row's segments: before, in and behind each of its spans, in turn; of a plain text one.

        An error in place of a row says what of it cannot be encoded.
        """
        return [one.parts if isinstance(one, Weighed) else one for one in self.weighed(rows)]

    def weighed(self, rows: Sequence[Rendered]) -> list[Weighed | UnencodableError]:
        """The same, with what each token's weight is multiplied by in rows that have pieces."""
        found: dict[int, Weighed | UnencodableError] = {}
        kinds: dict[tuple[str, bool], list[int]] = {}
        for number, row in enumerate(rows):
            kind = "plain" if row.is_plain else "shielded" if row.is_shielded else "chat"
            kinds.setdefault((kind, bool(row.pieces)), []).append(number)
        for (kind, weighs), numbers in kinds.items():
            tokenizer = self._plain if kind == "plain" else self._seamed[0] if kind == "chat" else self._disguised[0]
            encode = tokenizer.encode_batch if weighs else tokenizer.encode_batch_fast  # which tells no places
            texts = [self._written(rows[number]) for number in numbers]
            for number, encoding in zip(numbers, encode(texts, add_special_tokens=False), strict=True):
                found[number] = self._weighed(rows[number], encoding)
        return [found[number] for number in range(len(rows))]

    def _written(self, row: Rendered) -> str:
        """The row as its tokenizer gets it."""
        if row.is_plain:
            return row.text
        joined = _with_cuts(row.text, self._cuts(row))
        return self.special.marked(joined) if row.is_shielded else joined

    def _weighed(self, row: Rendered, encoding: Encoding) -> Weighed | UnencodableError:
        parts = self._parts(row, encoding.ids)
        if isinstance(parts, UnencodableError) or not row.pieces:
            return parts if isinstance(parts, UnencodableError) else Weighed(parts)
        characters = Characters(row.text, row.pieces)
        if row.is_plain:
            own = characters.of_tokens(encoding.offsets)
            return Weighed(parts, np.concatenate([np.ones(len(self.bos)), own, np.ones(len(self.eos))]))
        cuts = self._cuts(row)
        characters.insert(cuts)
        if row.is_shielded:
            characters.stretch(self.special.widths(_with_cuts(row.text, cuts)))
        factors = characters.of_tokens(encoding.offsets)
        return Weighed(parts, factors[np.array(encoding.ids) != self._seam(row)])

    def _parts(self, row: Rendered, ids: list[int]) -> list[list[int]] | UnencodableError:
        """The ids of a row as the model's, in segments."""
        if row.is_plain:
            return [[*self.bos, *ids, *self.eos]] if self._control.isdisjoint(ids) else self._unencodable(ids)
        if not row.is_shielded:
            return _split(ids, self._seam(row))
        text, true_ids = self._written(row), self._disguised[1]
        ids = [true_ids.get(one, one) for one in ids]
        wanted = sum(text.count(mark) for token, mark in self.special.stand_ins.items() if token not in self._unknown)
        if sum(one in self._control for one in ids) != wanted:
            return self._unencodable(ids)
        return _split(ids, self._seamed[1])

    def _seam(self, row: Rendered) -> int:
        """SEAM in what the row's tokenizer gives."""
        return int(self._disguised[0].token_to_id(SEAM) or 0) if row.is_shielded else self._seamed[1]

    def inference(self, text: str) -> list[int]:
        """Ids of a rendered text as inference encodes it."""
        return [int(one) for one in self._tokenizer(text, add_special_tokens=False)["input_ids"]]

    def text(self, text: str) -> list[int]:
        """Ids of a text alone, whatever it looks like. Raises UnencodableError."""
        (ids,) = self._texts([text])
        if isinstance(ids, UnencodableError):
            raise ids
        return ids

    def _texts(self, texts: Sequence[str]) -> list[list[int] | UnencodableError]:
        found = [one.ids for one in self._plain.encode_batch_fast(texts, add_special_tokens=False)] if texts else []
        return [ids if self._control.isdisjoint(ids) else self._unencodable(ids) for ids in found]

    def _unencodable(self, ids: Sequence[int]) -> UnencodableError:
        token = self._plain.id_to_token(next(one for one in ids if one in self._control))
        return UnencodableError(f"the text holds {token}, which this tokenizer takes for the control token")

    def _cuts(self, row: Rendered) -> list[tuple[int, str]]:
        """What is put into the row's text, in order, and where."""
        cuts = [(place, SEAM) for start, end in row.spans for place in (start, self._behind(row.text, end))]
        cuts += [(place, self._prefix.text) for place in self._prefixed(row.text)] if self._prefix else []
        cuts.sort(key=lambda cut: cut[0])  # stable: at one place the seam comes first
        return cuts

    def _behind(self, text: str, end: int) -> int:
        """The end of an answer, with the space that its end token swallows."""
        if self._swallowing and text.endswith(self._swallowing, 0, end):
            return end + len(text[end:]) - len(text[end:].lstrip())
        return end

    def _prefixed(self, text: str) -> list[int]:
        """Where the tokenizer writes its prefix."""
        assert self._prefix is not None  # noqa: S101
        starts, ends = [0], []
        for found in self._added.finditer(text):
            ends.append(found.start())
            starts.append(found.end())
        ends.append(len(text))
        sections = [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]
        if not self._prefix.everywhere:
            sections = [section for section in sections[:1] if section[0] == 0]
        return [start for start, _ in sections if self._prefix.always or text[start] not in (" ", self._prefix.text)]

    @cached_property
    def _seamed(self) -> tuple[Tokenizer, int]:
        """The tokenizer with SEAM, without what it writes in front of texts; and the id of SEAM."""
        tokenizer = _copy(self._bare)
        return tokenizer, _with_seam(tokenizer)

    @cached_property
    def _plain(self) -> Tokenizer:
        """The tokenizer for text of users, which is text whatever it looks like."""
        tokenizer = _copy(self._whole)
        tokenizer.encode_special_tokens = True
        return tokenizer

    @cached_property
    def _disguised(self) -> tuple[Tokenizer, dict[int, int]]:
        """The tokenizer with stand-ins for its control tokens, and the true ids for those that it gives."""
        state = json.loads(self._bare)
        true_ids = {}
        for token in state["added_tokens"]:
            if token["content"] in self.special.stand_ins:
                token.update(content=self.special.stand_ins[token["content"]], special=True, normalized=False)
            true_ids[token["content"]] = token["id"]
        tokenizer = _copy(json.dumps(state))
        known = {int(tokenizer.token_to_id(content) or 0): one for content, one in true_ids.items()}
        return tokenizer, {**known, _with_seam(tokenizer): self._seamed[1]}


def _with_cuts(text: str, cuts: Sequence[tuple[int, str]]) -> str:
    if not cuts:
        return text
    parts = [text[start:end] for start, end in pairwise([0, *(place for place, _ in cuts), len(text)])]
    return parts[0] + "".join(put + part for (_, put), part in zip(cuts, parts[1:], strict=True))


def _with_seam(tokenizer: Tokenizer) -> int:
    """Add SEAM to a tokenizer; its id."""
    tokenizer.add_special_tokens([AddedToken(SEAM, special=True, normalized=False)])
    return int(tokenizer.token_to_id(SEAM))  # type: ignore[arg-type]


def _split(ids: list[int], seam: int) -> list[list[int]]:
    parts, start = [], 0
    for _ in range(ids.count(seam)):
        end = ids.index(seam, start)
        parts.append(ids[start:end])
        start = end + 1
    return [*parts, ids[start:]]


def _copy(description: str) -> Tokenizer:
    tokenizer = Tokenizer.from_str(description)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.post_processor = None  # adds no token here, and would take blanks out of what tokens are told to be of
    return tokenizer


def _without_prefix(state: dict[str, Any]) -> _Prefix | None:
    """Take out of a tokenizer's description what it writes in front of texts; returns what that was."""
    found: _Prefix | None = None
    normalizer = state.get("normalizer")
    steps = (normalizer or {}).get("normalizers", [normalizer] if normalizer else [])
    for step in [step for step in steps if step["type"] == "Prepend"]:
        found = _Prefix(step["prepend"], everywhere=True, always=True)
        steps.remove(step)
    if normalizer and normalizer["type"] == "Prepend":
        state["normalizer"] = None
    splitter = state.get("pre_tokenizer")
    for step in (splitter or {}).get("pretokenizers", [splitter] if splitter else []):
        if step["type"] == "Metaspace" and step.get("prepend_scheme", "always") != "never":
            everywhere = step.get("prepend_scheme", "always") == "always"
            found = _Prefix(step["replacement"], everywhere, always=False)
            step["prepend_scheme"] = "never"
        elif step["type"] == "ByteLevel" and step.get("add_prefix_space"):
            found = _Prefix(" ", everywhere=True, always=False)
            step["add_prefix_space"] = False
    return found
