"""Text of somebody else's made fit to be read by a person or a model: what cannot be seen, or lies about order, goes.

For words that stand in our own sentences. Data is left as it is and marked instead.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

_JOINERS = "\u200c\u200d"
_EMOJI_STYLE = "\ufe0f"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANKS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef\u180b-\u180d\u180f]"
)
"""Letters and marks that show nothing: fillers, blank Braille, variation selectors but the one of emoji."""
_SPACES = re.compile(r"\s+")


def clean_text(text: str, most: int) -> str:
    """One line without control, bidi, tag, invisible or unassigned characters, at most `most` characters long.

    Joiners stay inside emoji and between letters of scripts that need them; marks on one letter are limited to four.
    """
    bounded = text[: most * 8]  # what is hidden has no say in how much is looked at
    kept: list[str] = []
    for one in bounded:
        if one in "\t\n\r\v\f\x85\u2028\u2029":
            kept.append(" ")
        elif _is_shown(one, kept):
            kept.append(one)
    line = _SPACES.sub(" ", "".join(_drop_loose_joiners(kept))).strip()
    return line if len(line) <= most else f"{line[: most - 1].rstrip(_JOINERS)}…"


def _is_shown(one: str, kept: Sequence[str]) -> bool:
    category = unicodedata.category(one)
    if one == _EMOJI_STYLE:
        return bool(kept) and (unicodedata.category(kept[-1]) == "So" or kept[-1] in "#*0123456789")
    if category in ("Mn", "Me"):
        return not _BLANKS.match(one) and any(unicodedata.category(mark) not in ("Mn", "Me") for mark in kept[-4:])
    return one in _JOINERS or (category not in _HIDDEN and not _BLANKS.match(one))


def _drop_loose_joiners(kept: Sequence[str]) -> Iterator[str]:
    before = ""
    for one, after in zip_longest(kept, kept[1:], fillvalue=""):
        if one in _JOINERS and not (_is_joined(before) and _is_joined(after)):
            continue
        before = one
        yield one


def _is_joined(neighbour: str) -> bool:
    """An emoji, its style or skin, or a letter or mark of a script without capitals: there a joiner has a meaning."""
    return bool(neighbour) and (
        neighbour == _EMOJI_STYLE or unicodedata.category(neighbour) in ("So", "Sk", "Lo", "Mn", "Mc")
    )
