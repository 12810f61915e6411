"""Two programs' weights of the tokens of one row, compared byte by byte: what differs, and why.

A token of ours that lies across a border of the peer's weights has to have the weight of its first byte that is no
blank, as docs/how-to/loss-scale.md says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

Token = tuple[bytes, float]
"""What a token is of, and its weight in the loss."""
Turn = list[Token]
START, END = b"<|im_start|>", b"<|im_end|>"
EMPTY_THOUGHT = re.compile(rb"<\|im_start\|>assistant\s*(<think>)?\s*</think>\s*")
HEADER = START + b"assistant\n"
BETWEEN = re.compile(rb"(?:\d|(?i:action input):?)(plain \w+(?:(?!\d|(?i:action input)).)*)", re.DOTALL)
"""A piece between two matches of the rule `found` (loss_scale_cases) whose beginning its pattern with ^ fits."""

BEHIND = "ms-swift learns the line break behind the end of turns, which its template counts to what ends an answer"
ENDS = (
    "what ends an answer before the last counts 1 in ms-swift where the answer's last piece is learnt, and not else; "
    "here it always counts"
)
APART = "ms-swift tokenizes pieces apart; a token of ours across their border has the weight of its first letter"
MARKED = "in ms-swift a mark replaces rules, and loss: true the base; here the mark multiplies them"
MARKED_END = "what ends an answer counts 1 in ms-swift whatever its mark is; here it counts as the answer does"
CUT = "turns behind the last answer that is learnt are left out here"
TEXTS = "an agent template is written otherwise (docs/reference/agent-templates.md); what both write weighs the same"
PREFIX = "ms-swift has a blank before each piece with SentencePiece, which the model is not given when it is used"
FIRST = "the first token counts 0 in ms-swift; it is predicted from nothing, and nobody learns it"
RUNS_ON = "within prompts, rules begin anew with each turn in ms-swift, and with each answer here"
EMPTY = "a thought that is empty is never learnt here; in ms-swift with ignore_empty_think"
BEGINS = "an answer begins behind an empty thought, so that patterns with ^ match there; in ms-swift before it"
REST = "a piece between two matches counts as one in ms-swift where a pattern with ^ fits its beginning"
NOTHING = "nothing of the row is learnt, so that it is left out here, and counted"
REFUSED = "calls that would not be read back as they are: the row is refused here, and counted"
UNKNOWN = "for no known reason"
EVERYWHERE = {BEHIND, FIRST}
"""What each row with an answer has, or each whose prompts are learnt."""


def differences(
    own: Sequence[Token] | str,
    peer: Sequence[Token],
    plain: Sequence[Token],
    marks: Sequence[float | None] = (),
    is_whole: bool = False,
) -> dict[str, str]:
    """Why weights differ -> an example. own: a text says why the row is left out. plain: the peer's without the row's
    marks. marks: of each answer. is_whole: whether prompts are learnt, too."""
    found: dict[str, str] = {}
    theirs = _with_marks(_turns(plain), marks)
    if why := _of_marks(_turns(peer), theirs):
        found[why] = ""
    if isinstance(own, str):
        return {**found, **_left_out(own, theirs)}
    mine = _turns(own)
    for turn in theirs[len(mine) :]:
        found[UNKNOWN if _is_learnt(turn) else CUT] = f"left out: {turn}"
    for index, (one, two) in enumerate(zip(mine, theirs, strict=False)):
        found |= dict(_of_turn(one, two, FIRST if index == 0 else RUNS_ON, is_whole))
    return found


def _turns(tokens: Sequence[Token]) -> list[Turn]:
    """Turns by the control token that begins them."""
    found: list[Turn] = []
    for token in tokens:
        if token[0] == START or not found:
            found.append([])
        found[-1].append(token)
    return found


def _with_marks(turns: Sequence[Turn], marks: Sequence[float | None]) -> list[Turn]:
    """With the weights of answers times their marks."""
    left = iter(marks)
    factors = [next(left, None) if _is_answer(turn) else None for turn in turns]
    return [
        [(text, weight * (1 if factor is None else factor)) for text, weight in turn]
        for turn, factor in zip(turns, factors, strict=True)
    ]


def _of_marks(peer: Sequence[Turn], wanted: Sequence[Turn]) -> str | None:
    """Why the peer's own reading of marks is not what ours is to be."""
    whys = set()
    for one, two in zip(peer, wanted, strict=True):
        if _said(one) != _said(two):
            return MARKED  # it cuts the pieces of other rules, and SentencePiece writes them otherwise
        end = _said(one).rfind(END)  # what ends the answer begins there
        pairs = enumerate(zip(_weights(one), _weights(two), strict=True))
        whys |= {MARKED_END if place >= end >= 0 else MARKED for place, (left, right) in pairs if left != right}
    return MARKED if MARKED in whys else min(whys, default=None)


def _left_out(why: str, theirs: Sequence[Turn]) -> dict[str, str]:
    if "template_refused" in why:
        return {REFUSED: why}
    return {UNKNOWN if any(map(_is_learnt, theirs)) else NOTHING: why}


def _is_learnt(turn: Turn) -> bool:
    """Whether anything but what ends it is."""
    return any(weight and text not in (END, b"\n") for text, weight in turn)


def _is_answer(turn: Turn) -> bool:
    return _said(turn).startswith(HEADER)


def _said(turn: Turn) -> bytes:
    return b"".join(text for text, _ in turn)


def _weights(turn: Turn) -> list[float]:
    """Of each byte."""
    return [weight for text, weight in turn for _ in text]


def _of_turn(mine: Turn, theirs: Turn, of_start: str, is_whole: bool) -> Iterator[tuple[str, str]]:
    """Pairs of why and an example. of_start: why its first token differs where prompts are learnt."""
    said, of_peer, weights = _said(mine), _said(theirs), _weights(theirs)
    places = _places(said, of_peer)
    if said != of_peer:
        is_blank = said.replace(b" ", b"") == of_peer.replace(b" ", b"")
        yield PREFIX if is_blank else TEXTS, f"{said!r}\n  ms-swift {of_peer!r}"
    end = 0
    for text, weight in mine:
        start, end = end, end + len(text)
        known = [place for place in range(start, end) if place in places]
        of_bytes = [weights[places[place]] for place in known]
        first = next((n for n, place in enumerate(known) if not said[place : place + 1].isspace()), 0)
        if not known:
            continue
        what = f"{said!r}: {text!r} at {start}: {weight:g}, ms-swift {of_bytes}"
        if weight != of_bytes[first]:
            is_prompt = is_whole and (start < len(HEADER) or not said.startswith(HEADER))
            yield (_why(said, start, end) if not is_prompt else RUNS_ON if start else of_start), what
        elif len(set(of_bytes)) > 1:
            yield APART, what


def _why(said: bytes, start: int, end: int) -> str:
    """A token has another weight, by where it stands in its turn."""
    text = said[start:end]
    if text == END:
        return ENDS
    if text == b"\n" and said[:start].endswith(END):
        return BEHIND
    thought = EMPTY_THOUGHT.match(said)
    if thought and end <= thought.end():
        return EMPTY
    begins = re.compile(rb"\S*\s\S*").match(said, thought.end()) if thought else None
    if begins and end <= begins.end():
        return BEGINS
    is_between = any(one.start(1) <= start and end <= one.end(1) for one in BETWEEN.finditer(said))
    return REST if is_between else UNKNOWN


def _places(mine: bytes, theirs: bytes) -> Mapping[int, int]:
    """Byte of ours -> the same of the peer's; of texts that differ, bytes that are no blanks."""
    if mine == theirs:
        return {place: place for place in range(len(mine))}
    (kept, said), (of_peer, said_there) = _solid(mine), _solid(theirs)
    blocks = SequenceMatcher(None, said, said_there, autojunk=False).get_matching_blocks()
    whole = [(0, 0, len(said))] if said == said_there else blocks
    return {kept[a + n]: of_peer[b + n] for a, b, size in whole for n in range(size)}


def _solid(text: bytes) -> tuple[list[int], bytes]:
    """Places of bytes that are no blanks, and those bytes; quotes are Python's or JSON's."""
    kept = [place for place in range(len(text)) if not text[place : place + 1].isspace()]
    return kept, bytes(text[place] for place in kept).replace(b"'", b'"')
