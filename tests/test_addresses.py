"""Where a request goes, whatever stands in a path or a query."""

import re
from string import Formatter
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.tenants.tenant import Tenant
from server.upstream.urls import build_url
from tools.api.operations import OPERATIONS
from tools.refusals import ToolError
from tools.spec import Operation

ACME = Tenant("65a1b2c3d4e5f60718293a4b", "https://acme.nudj.cx/api/v2/admin", "acme")
WITH_IDS = [operation for operation in OPERATIONS if "{" in operation.path]


def asked(operation: Operation, said: str) -> str | None:
    """The URL with this in the place of every id; None when there is none."""
    names = [name for _, name, _, _ in Formatter().parse(operation.path) if name]
    try:
        return build_url(ACME, operation, dict.fromkeys(names, said), {})
    except ToolError:
        return None


@pytest.mark.parametrize("operation", WITH_IDS, ids=lambda operation: operation.id)
@given(said=st.text())
@example(said="../../organisations/1")
@example(said="%2e%2e%2f")
@example(said="a?b=c#d")
@example(said="a@b:c")
@example(said="{id}")
def test_no_id_changes_the_path_host_or_query(operation: Operation, said: str) -> None:
    found = asked(operation, said)
    if found is None:
        assert not re.fullmatch(r"[\w-]{1,200}", said, re.ASCII), "an ordinary id was refused"
        return
    url = urlsplit(found)
    assert (url.scheme, url.netloc, url.query, url.fragment) == ("https", "acme.nudj.cx", "", "")
    template = urlsplit(ACME.api_domain).path + operation.path
    filled = [said if step.startswith("{") else step for step in template.split("/")]
    assert [unquote(step) for step in url.path.split("/")] == filled
    assert url.path.isascii()


@given(said=st.text(min_size=1))
def test_a_value_of_a_query_stays_that_value(said: str) -> None:
    url = urlsplit(build_url(ACME, next(one for one in OPERATIONS if "{" not in one.path), {}, {"search": said}))
    assert parse_qsl(url.query) == [("search", said)]
    assert (url.netloc, url.fragment) == ("acme.nudj.cx", "")
