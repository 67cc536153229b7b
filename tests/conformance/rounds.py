"""Fixture tools that answer in rounds (SEP-2322): what they need from the client comes first."""

from collections.abc import Mapping

import mcp.types as t

from tests.conformance.fixture import Answer, Context, Fixture, text

NAME: t.InputRequest = t.ElicitRequest(
    params=t.ElicitRequestFormParams(
        message="What is your name?",
        requested_schema={"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    )
)
ROOTS: t.InputRequest = t.ListRootsRequest()


def ask(message: str, member: str, kind: str = "string") -> t.InputRequest:
    """A form with one field."""
    schema = {"type": "object", "properties": {member: {"type": kind}}, "required": [member]}
    return t.ElicitRequest(params=t.ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(words: str, tokens: int = 100) -> t.InputRequest:
    """A question to the client's model."""
    message = t.SamplingMessage(role="user", content=t.TextContent(type="text", text=words))
    return t.CreateMessageRequest(params=t.CreateMessageRequestParams(messages=[message], max_tokens=tokens))


def needs(requests: Mapping[str, t.InputRequest], state: str | None = None) -> t.InputRequiredResult:
    """The first half of a round."""
    return t.InputRequiredResult(input_requests=dict(requests), request_state=state)


def filled(params: t.InputResponseRequestParams, name: str, member: str) -> str | None:
    """What a person filled in, if the client sent it and it is a form's answer."""
    given = (params.input_responses or {}).get(name)
    if not isinstance(given, t.ElicitResult) or given.content is None or member not in given.content:
        return None
    return str(given.content[member])


async def _name(_ctx: Context, params: t.CallToolRequestParams) -> Answer:
    name = filled(params, "user_name", "name")
    return needs({"user_name": NAME}) if name is None else text(f"Hello, {name}!")


async def _sampling(_ctx: Context, params: t.CallToolRequestParams) -> Answer:
    given = (params.input_responses or {}).get("capital_question")
    if not isinstance(given, t.CreateMessageResult) or not isinstance(given.content, t.TextContent):
        return needs({"capital_question": sample("What is the capital of France?")})
    return text(given.content.text)


async def _roots(_ctx: Context, params: t.CallToolRequestParams) -> Answer:
    given = (params.input_responses or {}).get("client_roots")
    if not isinstance(given, t.ListRootsResult):
        return needs({"client_roots": ROOTS})
    return text(", ".join(str(root.uri) for root in given.roots))


async def _state(_ctx: Context, params: t.CallToolRequestParams) -> Answer:
    if params.request_state != "asked" or filled(params, "confirm", "ok") is None:
        return needs({"confirm": ask("Please confirm", "ok", "boolean")}, "asked")
    return text("state-ok")


async def _several(_ctx: Context, params: t.CallToolRequestParams) -> Answer:
    wanted = {"user_name": NAME, "greeting": sample("Generate a greeting", 50), "client_roots": ROOTS}
    if params.request_state != "asked" or not wanted.keys() <= (params.input_responses or {}).keys():
        return needs(wanted, "asked")
    return text("All there.")


async def _many_rounds(_ctx: Context, params: t.CallToolRequestParams) -> Answer:
    if params.request_state == "second" and filled(params, "step2", "color") is not None:
        return text("Done.")
    if params.request_state == "first" and filled(params, "step1", "name") is not None:
        return needs({"step2": ask("Step 2: What is your favorite color?", "color")}, "second")
    return needs({"step1": ask("Step 1: What is your name?", "name")}, "first")


async def _capable(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    able = ctx.session.client_capabilities
    if params.input_responses or able is None:
        return text("Done.")
    offers = {
        "user_name": (able.elicitation, NAME),
        "greeting": (able.sampling, sample("Generate a greeting")),
        "client_roots": (able.roots, ROOTS),
    }
    return needs({name: request for name, (able_to, request) in offers.items() if able_to is not None}, "asked")


ROUNDS = (
    Fixture("test_input_required_result_elicitation", _name),
    Fixture("test_input_required_result_sampling", _sampling),
    Fixture("test_input_required_result_list_roots", _roots),
    Fixture("test_input_required_result_request_state", _state),
    Fixture("test_input_required_result_multiple_inputs", _several),
    Fixture("test_input_required_result_multi_round", _many_rounds),
    Fixture("test_input_required_result_capabilities", _capable),
    Fixture("test_input_required_result_tampered_state", _state),
)
