"""Words of any script, for metrics over words.

A word is a run of letters and digits with their marks, case-folded. Scripts that put no blanks between words give one
word per character: Chinese characters, kana, Thai, Lao, Khmer, Myanmar and their neighbours (Hangul has blanks). On
ASCII these are the words of rouge-score, which knows no other script.
"""

import re
import unicodedata
from bisect import bisect_right
from itertools import chain

BLANKLESS = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # Thai and Lao, Myanmar, Khmer
    *((0x1950, 0x19FF), (0x1A20, 0x1AAF), (0x1B00, 0x1B7F)),  # Tai Le to Khmer symbols, Tai Tham, Balinese
    *((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x312F), (0x31A0, 0x31BF)),  # radicals, marks, kana, bopomofo
    *((0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0xA4CF)),  # kana, Chinese characters, Yi
    *((0xA980, 0xA9FF), (0xAA60, 0xAADF), (0xF900, 0xFAFF)),  # Javanese and Myanmar, Myanmar and Tai Viet, Chinese
    *((0x1AFF0, 0x1B2FF), (0x20000, 0x3FFFF)),  # kana, Chinese characters
)
"""Code points, first and last, in order. Source: Unicode Standard Annex 14, classes ID and SA, and Blocks.txt."""
BORDERS = tuple(chain.from_iterable((first, last + 1) for first, last in BLANKLESS))
UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
"""Code points that only say how their neighbours look. Source: Unicode, Default_Ignorable_Code_Point."""


BLANK = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})
"""Categories of what is not seen. Unassigned ones may be: newer symbols than this Python knows."""


def words(text: str, symbols: bool = False) -> list[str]:
    """The words of `text` in order. symbols: every other character that is seen counts as a word, too."""
    found: list[str] = []
    before = ""  # what the last character was: "run", "alone", or nothing that a word goes on from
    for character in _folded(text):
        category = unicodedata.category(character)
        if category[0] == "M" and before:
            found[-1] += character
        elif category[0] in "LN":
            kind = "alone" if _is_blankless(character) else "run"
            if before == kind == "run":
                found[-1] += character
            else:
                found.append(character)
            before = kind
        elif symbols and category not in BLANK:
            found.append(character)
            before = ""
        else:
            before = ""
    return found


def is_blank(text: str) -> bool:
    """Whether nothing of `text` is seen."""
    return not words(text, symbols=True)


def _folded(text: str) -> str:
    """Without differences of case, composition and width. Source: Unicode 3.13, compatibility caseless matching."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", UNSEEN.sub("", text)).casefold())


def _is_blankless(character: str) -> bool:
    return bisect_right(BORDERS, ord(character)) % 2 == 1
