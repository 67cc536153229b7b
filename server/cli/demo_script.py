"""What the demo shows: who asks what, over which transport, and what must come back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.cli.demo_client import DemoConfig, Over

Envelope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """One call and the expectation it must meet.

    Parameters:
        code: the refusal expected; None when the call must succeed.
        holds: what must be true of the answer's data.
        shows: how the answer is told in one line.
    """

    who: str
    config: DemoConfig
    over: Over
    tool: str
    arguments: Mapping[str, Any]
    code: str | None = None
    holds: Callable[[Any], bool] = lambda _data: True
    shows: Callable[[Any], str] = lambda _data: "done"

    def judge(self, envelope: Envelope) -> bool:
        """Whether the answer is the expected one."""
        if self.code is not None:
            return envelope.get("ok") is False and envelope["error"]["code"] == self.code
        return envelope.get("ok") is True and self.holds(envelope["data"])

    def describe(self, envelope: Envelope) -> str:
        """The answer in one line."""
        if envelope.get("ok") is True:
            return self.shows(envelope["data"])
        error = envelope.get("error", {})
        return f"{error.get('code')} ({error.get('status')}): {error.get('message')}"


def build_scenes(found: Mapping[str, Any]) -> list[Scene]:
    """The whole story, in order.

    Parameters:
        found: the tokens file's organisations.
    """
    acme, globex = found["acme"], found["globex"]
    tokens, home, away = acme["tokens"], acme["api_domain"], globex["api_domain"]
    unknown = home.replace("acme", "nosuch")
    manager, viewer = DemoConfig(tokens["manager"], home), DemoConfig(tokens["viewer"], home)
    astray = DemoConfig(tokens["manager"], away)
    told = [
        Scene(
            "acme's manager",
            manager,
            over,
            "check_connection",
            {},
            holds=_expect_organisation(acme["id"]),
            shows=_describe_caller,
        )
        for over in ("/mcp", "/sse", "stdio")
    ]
    told += [
        Scene(
            "acme's manager", manager, "/mcp", "list_challenges", {"limit": 5}, holds=_describe_page, shows=_list_titles
        ),
        Scene(
            "acme's manager",
            manager,
            "/mcp",
            "create_challenge",
            _build_challenge(acme),
            holds=_describe_live,
            shows=_describe_created,
        ),
        Scene("acme's viewer", viewer, "/mcp", "create_challenge", _build_challenge(acme), "role_denied"),
        Scene("acme's manager, at globex", astray, "/mcp", *_LIST, "organisation_mismatch"),
        Scene(
            "the same, by path", DemoConfig(tokens["manager"], None, "globex"), "/mcp", *_LIST, "organisation_mismatch"
        ),
        Scene("the same, over SSE", astray, "/sse", *_LIST, "organisation_mismatch"),
        Scene("the same, over stdio", astray, "stdio", *_LIST, "organisation_mismatch"),
        Scene("an unknown subdomain", DemoConfig(tokens["manager"], unknown), "/mcp", *_LIST, "tenant_unknown"),
        Scene("an expired token", DemoConfig(tokens["expired"], home), "/mcp", *_LIST, "token_expired"),
        Scene("a forged signature", DemoConfig(tokens["forged"], home), "/mcp", *_LIST, "token_invalid"),
        Scene("no headers at all", DemoConfig(None, None), "/mcp", "check_connection", {}, "credentials_missing"),
        Scene("no x-api-domain", DemoConfig(tokens["manager"], None), "/mcp", *_LIST, "domain_missing"),
        Scene("a token revoked before", DemoConfig(tokens["revoked"], home), "/mcp", *_LIST, "token_revoked"),
    ]
    return told


_LIST: tuple[str, Mapping[str, Any]] = ("list_challenges", {"limit": 5})


def _build_challenge(organisation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "community_id": organisation["community_id"],
        "title": "Which planet has the most moons?",
        "description": "A quiz about the outer solar system.",
        "points": 50,
        "status": "live",
        "actions": [
            {
                "key": "question-multiple-choice",
                "title": "Which planet has the most known moons?",
                "options": ["Saturn", "Jupiter", "Mars"],
                "correct": ["Saturn"],
            }
        ],
    }


def _expect_organisation(organisation: str) -> Callable[[Any], bool]:
    return lambda data: data["organisation"] == organisation


def _describe_page(data: Any) -> bool:
    return len(data["items"]) == 5 and data["total_count"] > 5


def _describe_live(data: Any) -> bool:
    return bool(data["id"]) and data["status"] == "live"


def _describe_caller(data: Any) -> str:
    return f"{data['subject']}, {', '.join(data['roles'])} of organisation {data['organisation']}"


def _list_titles(data: Any) -> str:
    return f"{data['total_count']} in all; newest: " + "; ".join(item["title"] for item in data["items"])


def _describe_created(data: Any) -> str:
    return f"challenge {data['id']} is {data['status']}"
