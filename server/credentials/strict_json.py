"""JSON that every parser reads alike; anything two parsers could read differently is refused."""

import json
import math
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NoReturn

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
"""A string, or what would be one if it ended: so that no text is searched through from each of its quotes anew."""

_BRACKET = re.compile(r"[\[\]{}]")


def strict_json(data: bytes, *, depth: int = 16) -> Any:
    """Parse JSON that every parser reads alike: UTF-8, no repeated names, finite numbers, bounded depth.

    Raises:
        ValueError: it is anything else.
    """
    text = data.decode("utf-8")
    if _depth(text) > depth:
        raise ValueError("nested too deeply")
    value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate has no UTF-8 form
    return value


def _depth(text: str) -> int:
    brackets = _BRACKET.findall(_STRING.sub("", text))
    return max(accumulate(1 if sign in "[{" else -1 for sign in brackets), default=0)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("repeated name")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number
