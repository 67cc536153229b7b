"""What is left to do after a block was written or printed."""

from server.clients.blocks import Block, build_links
from server.clients.client import DOMAIN, TOKEN, Client, FilePlace, Way
from server.clients.target import Target
from server.tenants.domain import FORM


def write_advice(client: Client, target: Target, block: Block, way: Way, place: FilePlace | None) -> str:
    """Where the client's documentation is, a link that installs the block where there is one, and a list of steps."""
    lines = [f"For {client.title}; its documentation: {client.docs}"]
    lines += [f"or open: {link}" for link in build_links(client, target, block)]
    return "\n".join((*lines, "then:", *(f"  - {step}" for step in _list_steps(client, target, way, place)))) + "\n"


def _list_steps(client: Client, target: Target, way: Way, place: FilePlace | None) -> list[str]:
    steps = [*_keep_token(client, target, way)]
    if not (target.domain or target.subdomain or target.signs_in or target.profile):
        steps.append(f"set {DOMAIN} there to {FORM}")
    if client.name == "claude-code" and way == "mcp-remote":
        steps.append("never mind its warning about AUTH_HEADER: the bridge fills that in, not Claude Code")
    steps.append(f"restart {client.title}")
    if place is not None and place.scope == "project":
        steps += client.notes
    if client.places:
        steps.append(f"nudj-mcp doctor {client.name}")
    return steps


def _keep_token(client: Client, target: Target, way: Way) -> list[str]:
    if way == "stdio" and target.profile is not None:
        return [f"nudj-mcp login --profile {target.profile} --domain {target.domain or FORM}"]
    if target.signs_in:
        return ["sign in when the client opens the browser"]
    if way == "mcp-remote" and target.header_file is not None and not client.expands_commands:
        return [f'write the line "Authorization: Bearer <token>" into {target.header_file}, and chmod 600 it']
    if client.prompts:
        return [f"paste the token when {client.title} asks for it"]
    return [f"set {TOKEN} to your token where {client.title} starts (the token alone, without Bearer)"]
