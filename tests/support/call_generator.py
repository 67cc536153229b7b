"""Calls that people, agents and attackers make: who asks is drawn, and so is what for; a seed gives the same again."""

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.access_oracle import TOOLS, Attempt, Oracle, Who
from tests.support.organisation_data import mark_of

GOOD = ("viewer", "moderator", "manager", "admin", "super-admin", "community", "x_api_token")
BAD = ("expired", "revoked", "forged", "garbage", "none", "two")

_WEIGHTS = {"create_community": 0.2, "create_challenge": 1.5, "tools/list": 0.5, "check_connection": 1.5}
_STRAY = ("tenant", "organisation_id", "x-api-domain", "organisationId", "authorization")
_ODD_IDS = ("../{}", "{}/..", "{}?x=1", "{}#", "%2e%2e%2f{}", "{}%2F", " {}", "{}\n", "", "..", "0x{}")


_PLACES = (
    ("own", None),
    (None, "own"),
    ("own", "own"),
    ("other", None),
    (None, "other"),
    ("own", "other"),
    ("other", "own"),
    ("other", "other"),
    ("nosuch", None),
    (None, "nosuch"),
    ("malformed", None),
    ("malformed", "own"),
    (None, None),
)
"""Where a request may say it wants to go: by header, by path."""

_LIKELY = (12, 4, 2, 2, 2, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5)


class Attempts:
    """A source of attempts over what the oracle knows of both organisations; `made` are those so far."""

    def __init__(self, oracle: Oracle, seed: str) -> None:
        self._oracle = oracle
        self._random = random.Random(seed)
        self._seed = seed
        self.made: list[Attempt] = []
        self._tools = (*TOOLS, "tools/list", "drop_everything")
        self._weights = [_WEIGHTS.get(tool, 1.0) for tool in self._tools]

    def anyone(self) -> Who:
        """A caller over HTTP, where every request may come from another."""
        pick = self._random
        organisation, other = pick.sample(sorted(self._oracle.holdings), 2)
        token = pick.choice(BAD) if pick.random() < 0.2 else pick.choice(GOOD)
        domain, path = pick.choices(_PLACES, _LIKELY)[0]
        names = {None: None, "own": organisation, "other": other, "nosuch": "nosuch", "malformed": "malformed"}
        return Who(organisation, token, names[domain], names[path], self._mode())

    def someone(self) -> Who:
        """A caller with a connection of its own, which names the domain by header."""
        who = self.anyone()
        return Who(who.organisation, who.token, who.domain or who.path, None, who.mode)

    def _mode(self) -> str | None:
        return self._random.choices([None, "builder", "planner", "wild"], [14, 2, 3, 1])[0]

    def by(self, who: Who) -> Attempt:
        """What this caller tries next."""
        tool = self._random.choices(self._tools, self._weights)[0]
        arguments = dict(_ARGUMENTS.get(tool, _none)(self, who, tool))
        if self._random.random() < 0.04 and tool != "tools/list":
            arguments[self._random.choice(_STRAY)] = self._oracle.holdings[self._other(who)].community
        self.made.append(Attempt(who, tool, arguments))
        return self.made[-1]

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self._random.random() < probability

    def _other(self, who: Who) -> str:
        return next(name for name in self._oracle.holdings if name != who.organisation)

    def id_of(self, who: Who, kind: str) -> str:
        """An id to ask with: one's own, the other organisation's, nobody's, or none at all."""
        pick, name = self._random, self._other(who)
        theirs = pick.choice(self._oracle.holdings[name].of_kind(kind))
        mine = pick.choice(self._oracle.holdings[who.organisation].of_kind(kind))
        if kind == "user" and who.token == "community":
            mine = theirs  # whom a community knows is the tenant's own secret
        odd = pick.choice(_ODD_IDS).format(theirs)
        nobodys = f"{pick.getrandbits(96):024x}"
        return pick.choices([mine, theirs, nobodys, odd], [60, 30, 5, 5])[0]

    def text(self, who: Who) -> str:
        """Words that tell afterwards on whose behalf they were written."""
        return f"{mark_of(who.organisation)} {self._seed} {len(self.made)}"

    def slug(self, who: Who) -> str:
        """The same as a slug that is not taken."""
        return re.sub(r"[ :_]", "-", self.text(who))

    def reorder(self, who: Who) -> Mapping[str, Any]:
        """All actions of one challenge, of either organisation, sometimes with those of a challenge of the other."""
        holdings = self._oracle.holdings
        owner_side, action_side = (
            self._random.choices([who.organisation, self._other(who)], [4, 1])[0] for _ in range(2)
        )
        owner, actions = self._random.choice(_owned(holdings[owner_side].entities))
        if action_side != owner_side:
            _, actions = self._random.choice(_owned(holdings[action_side].entities))
        return {"owner_id": owner, "action_ids": actions}


def _owned(entities: Mapping[str, tuple[str, Mapping[str, Any]]]) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for id_, (kind, body) in entities.items():
        if kind == "action" and body.get("allocatedTo") == "challenge":
            found.setdefault(body["allocationId"], []).append(id_)
    return sorted(found.items())


def _none(_from: Attempts, _who: Who, _tool: str) -> Mapping[str, Any]:
    return {}


def _page(source: Attempts, who: Who, tool: str) -> Mapping[str, Any]:
    limit = {"limit": 3} if source.chance(0.9) else {"limit": 0}
    if tool in ("list_actions", "list_posts") and source.chance(0.4):
        return limit | {"community_id": source.id_of(who, "community")}
    return limit | ({"owner_id": source.id_of(who, "challenge")} if tool == "list_actions" else {})


def _one(source: Attempts, who: Who, tool: str) -> Mapping[str, Any]:
    kind = tool.partition("_")[2]
    said = {"id": source.id_of(who, kind)}
    return said | ({"description": source.text(who)} if tool.startswith("update_") else {})


def _community(source: Attempts, who: Who, _tool: str) -> Mapping[str, Any]:
    return {"name": source.text(who), "slug": source.slug(who)}


def _challenge(source: Attempts, who: Who, _tool: str) -> Mapping[str, Any]:
    action = {"key": "question-open-ended", "title": source.text(who)}
    said = {"community_id": source.id_of(who, "community"), "title": source.text(who), "actions": [action]}
    return said | ({"dry_run": True} if source.chance(0.7) else {})


def _reorder(source: Attempts, who: Who, _tool: str) -> Mapping[str, Any]:
    return source.reorder(who)


def _token(source: Attempts, who: Who, _tool: str) -> Mapping[str, Any]:
    return {"token_id": source.id_of(who, "challenge")}


_ARGUMENTS: Mapping[str, Callable[[Attempts, Who, str], Mapping[str, Any]]] = {
    **{tool: _page for tool in TOOLS if tool.startswith("list_")},
    **{tool: _one for tool in TOOLS if tool.startswith(("get_", "update_", "delete_"))},
    **dict.fromkeys(("get_organisation", "get_webhooks", "get_theme", "check_connection"), _none),
    "create_community": _community,
    "create_challenge": _challenge,
    "reorder_actions": _reorder,
    "revoke_token": _token,
}
