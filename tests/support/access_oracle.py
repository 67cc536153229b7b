"""What must come of a call, worked out without the server's code.

The oracle knows the house plan's tables, the tokens file and what an admin reads from the tenant itself.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.expected_permissions import entitled, needed
from tests.support.organisation_data import HEX, Holdings, held_by, theirs_in


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks and where to, as a config says it.

    Parameters:
        organisation, token: whose token of the tokens file it is; `token` may also be `none`, `garbage`, `two`.
        domain: whose x-api-domain is sent: an organisation, `nosuch`, `malformed`, or None for no header.
        path: the word of `/t/{word}/mcp`, None for the plain path.
        mode: x-agent-mode, if any.
    """

    organisation: str
    token: str
    domain: str | None
    path: str | None = None
    mode: str | None = None

    @property
    def stranger(self) -> bool:
        """Whether no check of the token could succeed."""
        return self.token in _BAD_TOKENS


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call as somebody makes it; the tool may also be `tools/list`."""

    who: Who
    tool: str
    arguments: Mapping[str, Any]


_TAKES: Mapping[str, str] = {
    "check_connection": "",
    "list_communities": "limit",
    "get_community": "id!",
    "create_community": "name! slug!",
    "update_community": "id! description",
    "list_challenges": "limit fields",
    "get_challenge": "id! fields",
    "create_challenge": "community_id! title! description actions dry_run",
    "update_challenge": "id! description",
    "delete_challenge": "id! confirm",
    "list_actions": "limit owner_id community_id",
    "get_action": "id!",
    "update_action": "id! description",
    "reorder_actions": "owner_id! action_ids!",
    "get_achievement": "id!",
    "get_reward": "id!",
    "list_posts": "limit community_id",
    "get_post": "id!",
    "list_users": "limit",
    "get_user": "id!",
    "list_tags": "limit",
    "get_organisation": "",
    "get_webhooks": "",
    "get_theme": "",
    "revoke_token": "token_id! confirm",
}
TOOLS = tuple(_TAKES)
"""The tools attempts are made with; what each takes is written down once more, `!` for what it must have."""

_BAD_TOKENS = {
    "none": "credentials_missing",
    "garbage": "credentials_malformed",
    "two": "credentials_conflict",
    "forged": "token_invalid",
    "expired": "token_expired",
    "revoked": "token_revoked",
}

_JWT = re.compile(rb"eyJ[\w-]{8,}\.[\w-]{8,}\.")


class Oracle:
    """Judges attempts, and reads answers for what must not be in them.

    Parameters:
        port: the tenant's.
        public: what anybody may read, and what is therefore no secret of an organisation that says the same.
    """

    def __init__(self, port: int, organisations: Mapping[str, Any], public: str) -> None:
        self.holdings = {name: held_by(port, name, known) for name, known in organisations.items()}
        common = {name: b"\n".join(held.texts) for name, held in self.holdings.items()}
        ids = {name: held.ids for name, held in self.holdings.items()}
        for name, mine in self.holdings.items():
            mine.keep_exclusive(frozenset(), public.encode())
            for other in self.holdings.keys() - {name}:
                mine.keep_exclusive(ids[other], common[other])

    def judge(self, attempt: Attempt) -> str:
        """`ok`, a code, or a JSON-RPC error number: the first thing that is wrong, in the documented order."""
        if attempt.tool == "tools/list":
            return "ok"
        if attempt.tool not in _TAKES:
            return "-32602"
        return self._stranger(attempt.who) or self._scoped(attempt.who, attempt.tool) or self._asked(attempt) or "ok"

    def _stranger(self, who: Who) -> str | None:
        if who.stranger:
            return _BAD_TOKENS[who.token]
        named = [one for one in (who.domain, who.path) if one is not None]
        if not named:
            return "domain_missing"
        if "malformed" in named:
            return "domain_malformed"
        if "nosuch" in named:
            return "tenant_unknown"
        if len(set(named)) > 1:
            return "domain_conflict"
        if named[0] != who.organisation:
            return "organisation_mismatch"
        return None if who.mode in (None, "planner", "builder") else "mode_invalid"

    def _scoped(self, who: Who, tool: str) -> str | None:
        role = {"community": "manager", "x_api_token": "admin"}.get(who.token, who.token)
        return entitled(tool, role, who.token == "community", who.mode)

    def _asked(self, attempt: Attempt) -> str | None:
        if not _well_formed(attempt):
            return "arguments_invalid"
        mine, said = self.holdings[attempt.who.organisation], attempt.arguments
        bound = attempt.who.token == "community"
        if bound and said.get("community_id", mine.community) != mine.community:
            return "community_denied"
        if attempt.tool.startswith("list_"):
            return None  # a filter that fits nothing gives an empty page
        if attempt.tool == "reorder_actions":
            return self._reordered(mine, said["owner_id"], said["action_ids"], bound)
        kinds = {"id": attempt.tool.partition("_")[2], "community_id": "community"}
        named = [(said[name], kind) for name, kind in kinds.items() if name in said]
        if not all(self._exists(mine, id_, kind, bound) for id_, kind in named):
            return "not_found"
        return "confirmation_required" if needed(attempt.tool)[0] == "D" else None

    def _reordered(self, mine: Holdings, owner: str, actions: list[str], bound: bool) -> str | None:
        if not self._exists(mine, owner, "challenge", bound):
            return "not_found"
        if bound and not all(self._exists(mine, action, "action", bound) for action in actions):
            return "not_found"
        its = {id_ for id_ in mine.of_kind("action") if mine.entities[id_][1]["allocationId"] == owner}
        return None if set(actions) == its else "arguments_invalid"

    def _exists(self, mine: Holdings, id_: str, kind: str, bound: bool) -> bool:
        found = mine.entities.get(id_)
        if found is None or kind != found[0]:
            return False
        return mine.within(id_) or not bound

    def shown(self, who: Who) -> set[str]:
        """Which of TOOLS this caller must be shown."""
        if self._stranger(who) is not None:
            return {"check_connection"}
        return {tool for tool in TOOLS if self._scoped(who, tool) is None}

    def foreign(self, attempt: Attempt, raw: bytes) -> list[bytes]:
        """Everything in an answer that this caller must not see; what it said itself may come back to it."""
        said = json.dumps(dict(attempt.arguments)).encode()
        found = [b"a token"] if _JWT.search(raw) else []
        for name, theirs in self.holdings.items():
            if attempt.who.stranger or name != attempt.who.organisation:
                found += theirs_in(theirs, raw, said)
        if attempt.who.token == "community":
            mine = self.holdings[attempt.who.organisation]
            beyond = {
                id_.encode() for kind in ("challenge", "action", "community", "post") for id_ in mine.beyond(kind)
            }
            found += [id_ for id_ in beyond.intersection(HEX.findall(raw)) if id_ not in said]
        return found


def _well_formed(attempt: Attempt) -> bool:
    takes = _TAKES[attempt.tool].split()
    known = {name.removesuffix("!") for name in takes}
    said = attempt.arguments
    if not said.keys() <= known or not {name[:-1] for name in takes if name.endswith("!")} <= said.keys():
        return False
    if "limit" in said and not (type(said["limit"]) is int and 1 <= said["limit"] <= 100):
        return False
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", said.get("token_id", "-")):
        return False
    ids = [said[name] for name in ("id", "owner_id", "community_id") if name in said] + [*said.get("action_ids", ())]
    return all(isinstance(one, str) and re.fullmatch(r"[0-9a-fA-F]{24}", one) for one in ids)
