"""The set-up of an organisation over the embedded tenant, from its tags to its tokens."""

import pytest

from server.pipeline import envelope
from tests.support.document_tenant_api import Port
from tests.support.sandbox_tenant_api import TOOLS, Reach
from tools.api import operations as op
from tools.organisation.webhooks import Header, Hook, Set, set_webhooks
from tools.refusals import Code

HEX = "0" * 24


async def test_a_tag_is_made_renamed_and_asked_for_alone() -> None:
    api = Reach()
    made = await api.use("create_tag", value="Robots", places=["challenge", "post"])
    assert (made["config"]["filtering"], made["config"]["display"]) == (["challenge", "post"],) * 2
    await api.use("update_tag", id=made["id"], value="Rovers")
    alone = await api.use("list_tags", id=made["id"])
    assert [one["value"] for one in alone["items"]] == ["Rovers"]
    assert alone["total_count"] == 1


async def test_a_campaign_is_made_changed_and_asked_for_alone() -> None:
    api = Reach()
    made = await api.use(
        "create_campaign", name="Mars Week", start_date="2030-05-01T00:00:00Z", end_date="2030-05-08T00:00:00Z"
    )
    await api.use("update_campaign", id=made["id"], status="live")
    assert [one["status"] for one in (await api.use("list_campaigns", id=made["id"]))["items"]] == ["live"]
    assert made["id"] in [one["id"] for one in (await api.use("list_campaigns", limit=100))["items"]]


async def test_a_game_keeps_the_names_its_content_uses() -> None:
    api = Reach()
    content = {"gameConfig": {"fallSpeed": 3, "snake_case": True}}
    made = await api.use("create_game", title="Catch", game_type="catch", config=content)
    assert made["config"]["game_config"] == content["gameConfig"]
    changed = await api.use("update_game", id=made["id"], title="Catch it")
    assert changed["title"] == (await api.use("get_game", id=made["id"]))["title"] == "Catch it"
    assert "config" not in str((await api.use("list_games"))["items"])


@pytest.mark.parametrize("kind", ["achievements", "actions", "challenges", "posts", "rewards", "communities"])
async def test_templates_of_every_kind_are_listed_by_one_tool(kind: str) -> None:
    found = await Reach().use("list_templates", kind=kind)
    assert {"items", "total_count"} <= found.keys()


async def test_the_colours_that_are_read_can_be_sent_back_and_the_others_stay() -> None:
    api = Reach()
    before = await api.use("get_theme")
    blue = {"mode": "dark", "name": "primary_foreground", "value": "#1d4ed8"}
    after = await api.use("update_theme", colors=[blue], font_family="Lora")
    assert blue in after["colors"]
    assert after["font_family"] == "Lora"
    back = await api.use("update_theme", colors=before["colors"], font_family=before["font_family"])
    assert back == before


async def test_a_form_question_is_listed_and_asked_for_alone() -> None:
    api = Reach()
    first = (await api.use("list_variables"))["items"][0]
    assert (await api.use("list_variables", id=first["id"]))["items"] == [first]


async def test_the_organisation_is_always_the_callers_own() -> None:
    api = Reach()
    await api.use("update_organisation", timezone="Europe/Berlin", default_language="de")
    own = await api.use("get_organisation")
    assert own["id"] == api.caller.organisation
    assert (own["timezone"], own["language"]) == ("Europe/Berlin", "de")


async def test_every_invitation_says_what_became_of_it() -> None:
    said = await Reach().use("invite_team", emails=["a@acme.example", "A@acme.example"])
    assert [one["success"] for one in said["results"]] == [True, False]


async def test_a_host_is_added_with_its_proof_and_removed() -> None:
    api = Reach()
    added = await api.use("add_domain", domain="club.acme.example")
    assert added["data"]["verification"][0]["type"] == "TXT"
    assert "club.acme.example" in (await api.use("get_domains"))["custom_domains"]
    assert "club.acme.example" not in (await api.use("remove_domain", domain="club.acme.example"))["custom_domains"]


async def test_replacing_webhooks_keeps_headers_nobody_mentioned_and_never_shows_them() -> None:
    secret = "Bearer planted-secret"
    known = {"url": "https://a.example/in", "events": ["challenge-completion"], "headers": {"x_Odd-Name": secret}}
    api = Port({"getWebhookConfigs": {"configs": [known]}, "putWebhookConfigs": lambda call: call.body})
    answer = await set_webhooks(
        Set(
            configs=[
                Hook(url="https://a.example/in", events=["reward-distribution"]),
                Hook(url="https://b.example/in", events=["x"], headers=[Header(name="X-Key", value=secret)]),
            ]
        ),
        api,
    )
    sent = api.made(op.PUT_WEBHOOK_CONFIGS)[0].body["configs"]
    assert [config["headers"] for config in sent] == [{"x_Odd-Name": secret}, {"X-Key": secret}]
    assert [config.header_names for config in answer.configs] == [("x_Odd-Name",), ("X-Key",)]
    assert "planted" not in envelope.build_success(TOOLS["set_webhooks"], answer).text
    assert "planted" not in repr(answer)


async def test_deliveries_are_listed_without_what_was_sent() -> None:
    body = "x" * 2000
    log = {"id": "1", "requestHeaders": {"a": "planted"}, "requestBody": {"b": "planted"}, "responseBody": body}
    tool = TOOLS["list_webhook_logs"]
    answer = await tool.run(tool.takes.model_validate({}), Port({"getWebhookLogs": {"totalCount": 1, "edges": [log]}}))
    text = envelope.build_success(tool, answer).text
    assert "planted" not in text
    assert "xxx... (the whole body" in text
    assert len(text) < 1200


async def test_a_revoked_token_is_named_by_its_id_alone() -> None:
    api = Port()
    tool = TOOLS["revoke_token"]
    await tool.run(tool.takes.model_validate({"token_id": "jti-1"}), api)
    assert api.calls[0].ids == {"tokenId": "jti-1"}
    assert api.calls[0].body is None


@pytest.mark.parametrize(
    ("tool", "said", "pointer"),
    [
        ("create_tag", {"value": "x", "places": ["moon"]}, "/places/0"),
        ("update_tag", {"id": HEX, "value": ""}, "/value"),
        ("list_tags", {"language": "../x"}, "/language"),
        ("create_campaign", {"name": "x", "start_date": "tomorrow", "end_date": "2030-01-01T00:00:00Z"}, "/start_date"),
        ("update_campaign", {"id": HEX, "status": "on"}, "/status"),
        ("list_campaigns", {"id": "1"}, "/id"),
        ("create_game", {"title": "x", "game_type": "chess", "config": {}}, "/game_type"),
        ("update_game", {"id": HEX, "config": "x"}, "/config"),
        ("list_templates", {"kind": "users"}, "/kind"),
        ("update_theme", {"colors": [{"mode": "light", "name": "sky", "value": "#fff"}]}, "/colors/0/name"),
        ("list_variables", {"limit": 0}, "/limit"),
        ("get_organisation", {"organisation_id": HEX}, "/organisation_id"),
        ("update_organisation", {"timezone": "Mars City"}, "/timezone"),
        ("invite_team", {"emails": []}, "/emails"),
        ("add_domain", {"domain": "https://club.example.com/x"}, "/domain"),
        ("remove_domain", {"domain": "localhost"}, "/domain"),
        ("set_webhooks", {"configs": [{"url": "http://a.example", "events": ["x"]}]}, "/configs/0/url"),
        ("list_webhook_logs", {"skip": 5}, "/skip"),
        ("revoke_token", {"token_id": "a.b.c"}, "/token_id"),
    ],
)
async def test_a_wrong_argument_is_named(tool: str, said: dict[str, object], pointer: str) -> None:
    refusal = await Reach().refused(tool, **said)
    assert refusal.code is Code.ARGUMENTS_INVALID
    assert [field.pointer for field in refusal.fields] == [pointer]
