"""What ends a request before its time: the code it is recorded under, and what its caller is told."""

import logging

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from server.state.store import StoreDown
from tools.refusals import Code, ToolError

_log = logging.getLogger(__name__)


class UnknownTool(Exception):
    """The name is not in the catalogue: a protocol error rather than an answer."""


def locate_faults(fault: ValidationError | PydanticSerializationError) -> str:
    """Where an answer did not fit, without the values."""
    if isinstance(fault, PydanticSerializationError):
        return "text that is not Unicode"
    return ", ".join("/".join(str(step) for step in error["loc"]) for error in fault.errors(include_input=False)[:5])


def choose_code(fault: Exception) -> Code:
    """The code under which a request that ended so is recorded."""
    match fault:
        case ToolError():
            return fault.code
        case UnknownTool():
            return Code.NOT_FOUND
        case StoreDown():
            return Code.VERIFICATION_UNAVAILABLE
    return Code.INTERNAL


def build_error(fault: Exception, request_id: str) -> ToolError:
    """What the caller is told of a fault that is not its own."""
    if isinstance(fault, StoreDown):
        return ToolError(
            Code.VERIFICATION_UNAVAILABLE,
            "The state that replicas share cannot be reached, and this call depends on it; nothing was done.",
            "Call again in a few seconds, word for word; without its request_key it might do a thing twice.",
            retry_after_s=5,
        )
    _log.error("request %s: a fault of this server", request_id, exc_info=fault)
    return ToolError(
        Code.INTERNAL,
        "This server failed on the call.",
        f"Report request_id {request_id} to the operator; the cause is in the server's log.",
    )
