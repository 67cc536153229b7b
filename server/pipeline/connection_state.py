"""What a client may tell its model of this very connection: who, where, as what; or what is wrong and what to do."""

from server.pipeline.authentication import Admission
from server.pipeline.context import CallRequest
from server.pipeline.dispatcher import Dispatcher
from tools.plain_text import clean_text
from tools.refusals import ToolError

_NAME = 64


async def describe_connection(calls: Dispatcher, asked: CallRequest) -> str:
    """One or two sentences; nothing of an organisation before the pair of caller and tenant was checked.

    It never waits on a tenant: where only the tenant can verify a token, nothing is said of it.
    """
    if not calls.gate.judges_alone:
        return "Call check_connection to see who you are here."
    try:
        admission = await calls.gate.admit(asked.presented)
    except ToolError as refusal:
        return (
            f"This connection does not work: {refusal.message} {refusal.hint} Until then only check_connection answers."
        )
    return _describe_admitted(calls, admission)


def _describe_admitted(calls: Dispatcher, admission: Admission) -> str:
    principal, tenant = admission.principal, admission.tenant
    name = calls.upstream.names.find(tenant)
    where = f"organisation {principal.organisation}" if name is None else f'organisation "{name}"'
    roles = ", ".join(sorted({grant.role.value for grant in principal.grants})) or "no role"
    said = f'You act as "{clean_text(principal.subject, _NAME)}" of the {where}: {roles}, {admission.mode} mode.'
    chosen = calls.default_toolsets if admission.toolsets is None else admission.toolsets
    hidden = {tool.toolset for tool in calls.catalogue.values() if tool.permissions} - chosen
    if hidden:
        said += f" Not listed: the toolsets {', '.join(sorted(hidden))}; x-toolsets: all lists them."
    return said
