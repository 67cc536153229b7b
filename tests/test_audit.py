"""Audit: one line of the published shape per decision, no values, no tokens, and no waiting."""

import io
import json
import stat
import threading
import time
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.observability.audit import Audit, AuditLine, RotatingFile, Stream, build_schema, describe_shape

PUBLISHED = Path(__file__).parents[1] / "docs" / "audit.schema.json"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


def line(**said: object) -> AuditLine:
    base: dict[str, object] = {"request_id": "r1", "transport": "http", "verdict": "allowed", "ms": 1.5}
    return AuditLine(**(base | said))  # type: ignore[arg-type]  # each test names fields that exist


class Broken:
    def write(self, text: str) -> None:
        raise OSError("disk full")

    def close(self) -> None:
        return


class Held:
    """A sink that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.go, self.took = threading.Event(), ""

    def write(self, text: str) -> None:
        self.go.wait()
        self.took += text

    def close(self) -> None:
        return


def test_the_published_schema_is_that_of_the_record() -> None:
    assert json.loads(PUBLISHED.read_text()) == build_schema()


@given(st.text(), st.text(), st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists)))
def test_whatever_comes_in_a_line_is_one_line_of_the_published_shape(
    domain: str, tool: str, arguments: dict[str, object]
) -> None:
    text = line(domain=domain, tool=tool, shape=describe_shape(arguments)).json()
    assert text.isascii()
    assert text.isprintable()
    jsonschema.validate(json.loads(text), build_schema())


def test_a_token_in_the_wrong_place_is_masked() -> None:
    text = line(domain=JWT, tool=f"x {JWT}", shape=describe_shape({JWT: 1})).json()
    assert "eyJ" not in text
    assert json.loads(text)["domain"] == "***"


def test_a_long_text_is_cut() -> None:
    assert len(json.loads(line(domain="x" * 100_000).json())["domain"]) == 256


def test_a_shape_tells_names_and_sizes_and_no_value() -> None:
    given_ = {"name": "Science Fans", "tags": ["a", "b"], "points": 50, "live": True, "group": None, "at": {"x": "y"}}
    assert describe_shape(given_) == {
        "name": "string:12",
        "tags": "array:2",
        "points": "number",
        "live": "boolean",
        "group": "null",
        "at": {"x": "string:1"},
    }


def test_a_shape_is_bounded_in_width_depth_and_length_of_names() -> None:
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"a": deep}
    wide = describe_shape({f"{n:04}" + "n" * 500: deep for n in range(1000)})
    assert len(wide) == 33
    assert wide["..."] == 968
    assert max(map(len, wide)) == 64
    assert next(iter(wide.values())) == {"...": 1}
    assert describe_shape({"a": deep}) == {"a": {"a": {"a": "object:1"}}}


def test_no_arguments_make_a_line_long() -> None:
    inner = {f"{n:04}" + "n" * 60: {f"{m:04}" + "m" * 60: {"x" * 64: 1} for m in range(32)} for n in range(32)}
    assert len(line(shape=describe_shape({f"{n:04}" + "o" * 60: inner for n in range(32)})).json()) < 4_000


def test_lines_reach_every_sink_in_order() -> None:
    first, second = io.StringIO(), io.StringIO()
    audit = Audit(Stream(first), Stream(second))
    for number in range(500):
        audit.write(line(request_id=str(number)))
    audit.close()
    assert [json.loads(text)["request_id"] for text in first.getvalue().splitlines()] == [str(n) for n in range(500)]
    assert first.getvalue() == second.getvalue()
    assert audit.lost == 0


def test_a_sink_that_stands_still_costs_lines_and_they_are_counted_and_never_time() -> None:
    held = Held()
    audit = Audit(held, bound=100, pause_s=0)
    audit.write(line())
    while audit.waiting:
        time.sleep(0.001)
    began = time.perf_counter()
    for _ in range(1000):
        audit.write(line())
    assert time.perf_counter() - began < 0.5
    assert audit.lost == 900
    held.go.set()
    audit.close()
    assert len(held.took.splitlines()) == 101


def test_a_sink_that_fails_does_not_take_the_others_down(caplog: pytest.LogCaptureFixture) -> None:
    kept = io.StringIO()
    audit = Audit(Broken(), Stream(kept))
    audit.write(line())
    audit.close()
    assert audit.lost == 1
    assert "lines lost" in caplog.text
    assert kept.getvalue().count("\n") == 1


def test_an_observer_sees_the_line_at_once() -> None:
    seen: list[AuditLine] = []
    audit = Audit()
    audit.watch(seen.append)
    audit.write(line(subject="ada"))
    assert [one.subject for one in seen] == ["ada"]
    audit.close()


def test_an_observer_that_left_sees_no_more() -> None:
    seen: list[AuditLine] = []
    audit = Audit()
    leave = audit.watch(seen.append)
    leave()
    audit.write(line())
    assert seen == []
    audit.close()


def test_a_full_file_is_turned_over_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    file = RotatingFile(path, cap=20, keep=2)
    for number in range(5):
        file.write(f"line number {number}\n")
    file.close()
    assert path.read_text() == "line number 4\n"
    assert path.with_name("audit.jsonl.1").read_text() == "line number 3\n"
    assert path.with_name("audit.jsonl.2").read_text() == "line number 2\n"
    assert len(list(tmp_path.iterdir())) == 3


def test_the_file_is_its_owners_alone_and_is_continued_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for _ in range(2):
        file = RotatingFile(path)
        file.write("x\n")
        file.close()
    assert path.read_text() == "x\nx\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
