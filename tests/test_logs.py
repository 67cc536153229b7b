"""Logs: one JSON line per record whatever came in, and nothing that looks like a token."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.observability.logs import JsonLines, configure, mask

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure("INFO", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@given(st.text())
def test_whatever_the_text_a_record_is_one_line_of_json(text: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (text,), None)
    assert JsonLines().format(record).isprintable()


def test_a_newline_cannot_forge_a_second_record(written: io.StringIO) -> None:
    logging.getLogger("server").warning("domain %s", 'x\n{"level": "info"}\x1b[31m')
    assert json.loads(written.getvalue())["message"] == 'domain x\n{"level": "info"}\x1b[31m'
    assert written.getvalue().count("\n") == 1


def test_a_huge_text_is_cut_and_both_ends_stay(written: io.StringIO) -> None:
    logging.getLogger("server").error("a" + "x" * 1_000_000 + "z")
    message = json.loads(written.getvalue())["message"]
    assert len(message) < 8_100
    assert (message[0], message[-1]) == ("a", "z")


def test_a_traceback_is_part_of_the_one_line(written: io.StringIO) -> None:
    try:
        raise ValueError(JWT)
    except ValueError:
        logging.getLogger("server").exception("broke")
    said = json.loads(written.getvalue())
    assert "ValueError: ***" in said["traceback"]


@pytest.mark.parametrize("name", ["uvicorn.error", "mcp.server.lowlevel", "starlette"])
def test_the_libraries_log_through_the_same_door(written: io.StringIO, name: str) -> None:
    logging.getLogger(name).warning("here")
    assert json.loads(written.getvalue())["logger"] == name


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {JWT}",
        f"authorization: bearer {JWT}",
        "Bearer opaque-token-of-another-kind",
        f"token={JWT}&x=1",
        f"repr {JWT!r}",
        JWT[:60],
        f"a {JWT} b {JWT}",
    ],
)
def test_a_token_never_shows(text: str) -> None:
    shown = mask(text)
    assert "***" in shown
    assert "eyJ" not in shown
    assert "opaque" not in shown


def test_a_cut_leaves_no_half_of_a_token(written: io.StringIO) -> None:
    logging.getLogger("server").error("x" * 3_980 + JWT + "y" * 20_000 + JWT + "x" * 3_990)
    assert JWT[5:20] not in written.getvalue()
    assert JWT[-8:] not in written.getvalue()


def test_ordinary_text_is_left_alone() -> None:
    text = "the bearer of good news: tenant https://acme.nudj.cx/api/v2/admin is reachable"
    assert mask(text) == text


def test_nothing_goes_to_stdout(written: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("server").error("x")
    assert capsys.readouterr().out == ""
    assert written is not sys.stdout
