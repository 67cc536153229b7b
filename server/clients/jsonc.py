"""JSON as people keep it: read with or without comments, and changed in one place while every other byte stays.

The libraries that keep comments either need Node or rewrite the whole file; this one cuts and pastes text.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Path = Sequence[str | int]
"""Names of members and places in arrays, from the outermost value inwards."""

_BLANK = re.compile(r"[ \t\r\n]*")
_REMARK = re.compile(r"(?:[ \t\r\n]|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_REST_OF_LINE = re.compile(r"(?:[ \t]|/\*[^\r\n]*?\*/)*(?://[^\r\n]*)?")
_DEEPEST = 200


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


_SCALAR = json.JSONDecoder(parse_constant=_refuse_constant)


class JsoncError(ValueError):
    """The text is not JSON, or not of the kind that is read here.

    Parameters:
        said: what is wrong, a part of a sentence.
        line: where, from 1.
    """

    def __init__(self, said: str, line: int) -> None:
        super().__init__(f"{said} at line {line}")
        self.said = said
        self.line = line


@dataclass(slots=True)
class _Node:
    """A value where it stands: `children` of objects and arrays, in order."""

    start: int
    end: int = 0
    value: Any = None
    children: "list[_Child]" = field(default_factory=list)


@dataclass(slots=True)
class _Child:
    """A member or an element: where its key begins, its value, and the comma after it if there is one."""

    start: int
    name: str | int
    node: _Node
    comma: int | None = None


def read(text: str, *, comments: bool = True) -> Any:
    """The value of a text; of equal names the last one counts, and a byte order mark is nothing.

    Parameters:
        comments: whether comments and trailing commas are read, as editors do, or refused, as JSON does.

    Raises:
        JsoncError: it has none.
    """
    return _Reader(text, comments).read().value


def put(text: str, path: Path, value: Any) -> str:
    """The text with this value at that place, put in where there is none; containers on the way are made.

    Parameters:
        path: from the outermost object; -1 as its end appends to an array.

    Raises:
        JsoncError: the text cannot be read, or something else than an object is on the way.
    """
    if not text.lstrip("\ufeff").strip():
        text = "{}\n"
    node = _Reader(text, comments=True).read()
    for depth, name in enumerate(path):
        child = _find(node, name)
        if child is None:
            return _insert(text, node, name, _wrap(path[depth + 1 :], value))
        node = child.node
    shown = _show(value, _indent_of(text, node.start), _unit(text), _newline(text))
    return text[: node.start] + shown + text[node.end :]


def drop(text: str, path: Path) -> str:
    """The text without what is at that place; the text itself when nothing is.

    Raises:
        JsoncError: the text cannot be read.
    """
    while True:
        parent = _Reader(text, comments=True).read()
        for name in path[:-1]:
            child = _find(parent, name)
            if child is None:
                return text
            parent = child.node
        found = _find(parent, path[-1])
        if found is None:
            return text
        text = _cut(text, parent, found)
        if isinstance(path[-1], int):
            return text


def _find(node: _Node, name: str | int) -> _Child | None:
    return next((child for child in reversed(node.children) if child.name == name), None)


def _wrap(path: Path, value: Any) -> Any:
    for name in reversed(path):
        value = [value] if isinstance(name, int) else {name: value}
    return value


def _insert(text: str, parent: _Node, name: str | int, value: Any) -> str:
    if not isinstance(parent.value, list if isinstance(name, int) else dict):
        raise JsoncError("something else than the client documents stands", text.count("\n", 0, parent.start) + 1)
    unit, newline = _unit(text), _newline(text)
    outer = _indent_of(text, parent.start)
    inner = outer + unit
    shown = _show(value, inner, unit, newline)
    line = newline + inner + (shown if isinstance(name, int) else f"{json.dumps(name, ensure_ascii=False)}: {shown}")
    if parent.children:
        last = parent.children[-1]
        comma = last.node.end if last.comma is None else last.comma + 1
        rest = _REST_OF_LINE.match(text, comma)
        place = comma if rest is None or text[rest.end() : rest.end() + 1] not in ("\r", "\n") else rest.end()
        added = line if last.comma is None else f"{line},"
        closing = text[place : parent.end - 1]
        tail = "" if "\n" in closing else newline + outer
        return text[:comma] + ("," if last.comma is None else "") + text[comma:place] + added + tail + text[place:]
    remarks = text[parent.start + 1 : parent.end - 1].rstrip()
    return text[: parent.start + 1] + remarks + line + newline + outer + text[parent.end - 1 :]


def _cut(text: str, parent: _Node, child: _Child) -> str:
    place = parent.children.index(child)
    start, end = child.start, child.node.end if child.comma is None else child.comma + 1
    while text[start - 1] in " \t":
        start -= 1
    rest = re.compile(r"[ \t]*").match(text, end)
    ended = end if rest is None else rest.end()
    if text[start - 1] == "\n" and text[ended] in "\r\n}]":
        start -= 2 if text[start - 2 : start] == "\r\n" else 1
        end = ended if text[ended] in "\r\n" else end
    before, after = text[:start], text[end:]
    if child.comma is None and place:
        comma = parent.children[place - 1].comma
        if comma is not None:
            before = before[:comma] + before[comma + 1 :]
    if len(parent.children) == 1:
        head, tail = before[: parent.start + 1], before[parent.start + 1 :]
        closing = len(after) - len(after.lstrip())
        if not tail.strip() and after[closing] in "}]":
            return head + after[closing:]
    return before + after


def _show(value: Any, indent: str, unit: str, newline: str) -> str:
    lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
    return (newline + indent).join(lines)


def _unit(text: str) -> str:
    found = re.search(r"^[\ufeff]?\s*\{(?:\s|//[^\n]*|/\*.*?\*/)*?\n([ \t]+)[\"/]", text, re.DOTALL)
    return found[1] if found else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent_of(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place].lstrip("\ufeff")
    return line[: len(line) - len(line.lstrip(" \t"))]


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str, comments: bool) -> None:
        self._text = text
        self._space = _REMARK if comments else _BLANK
        self._lenient = comments

    def read(self) -> _Node:
        node = self._value(self._skip(1 if self._text.startswith("\ufeff") else 0), 0)
        if (place := self._skip(node.end)) != len(self._text):
            raise self._fault("there is something after the end", place)
        return node

    def _skip(self, place: int) -> int:
        found = self._space.match(self._text, place)
        return place if found is None else found.end()

    def _fault(self, said: str, place: int) -> JsoncError:
        if self._text.startswith(("//", "/*"), place):
            said = "there is a comment, which plain JSON does not have,"
        return JsoncError(said, self._text.count("\n", 0, place) + 1)

    def _value(self, place: int, depth: int) -> _Node:
        sign = self._text[place : place + 1]
        if sign not in ("{", "["):
            return self._scalar(place)
        if depth > _DEEPEST:
            raise self._fault("it is nested too deep", place)
        node = _Node(place)
        node.end = self._fill(node, depth, "}" if sign == "{" else "]")
        names = {child.name: child.node.value for child in node.children}
        node.value = names if sign == "{" else list(names.values())
        return node

    def _scalar(self, place: int) -> _Node:
        try:
            value, end = _SCALAR.raw_decode(self._text, place)
        except (ValueError, RecursionError):
            raise self._fault("a value is missing or wrong", place) from None
        return _Node(place, end, value)

    def _fill(self, node: _Node, depth: int, closing: str) -> int:
        place = self._skip(node.start + 1)
        while self._text[place : place + 1] != closing:
            if node.children and node.children[-1].comma is None:
                raise self._fault("a comma or a closing bracket is missing", place)
            child = self._child(place, len(node.children), depth, named=closing == "}")
            node.children.append(child)
            place = self._skip(child.node.end)
            if self._text[place : place + 1] == ",":
                child.comma, place = place, self._skip(place + 1)
        if node.children and node.children[-1].comma is not None and not self._lenient:
            raise self._fault("a comma stands before the closing bracket", place)
        return place + 1

    def _child(self, place: int, count: int, depth: int, *, named: bool) -> _Child:
        if not named:
            return _Child(place, count, self._value(place, depth + 1))
        name = self._scalar(place) if self._text[place : place + 1] == '"' else None
        colon = self._skip(place if name is None else name.end)
        if name is None or self._text[colon : colon + 1] != ":":
            raise self._fault("a member's name in double quotes and its colon are missing", place)
        return _Child(place, name.value, self._value(self._skip(colon + 1), depth + 1))
