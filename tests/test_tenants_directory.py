"""From what a client calls a tenant to the tenant, and nowhere else."""

import time
from pathlib import Path

import pytest

from server.credentials.parsing import PresentedCredentials
from server.http.port import Route
from server.tenants.directory import Directory
from server.tenants.entries import build_table
from server.tenants.sources import TenantFile
from tests.support.directory_entries import AT_ACME, AT_GLOBEX, CUSTOM, ENTRIES, LOCAL, SUFFIX
from tests.support.token_issuer import ACME
from tools.refusals import Code, ToolError


def directory() -> Directory:
    return Directory(build_table({"tenants": ENTRIES}, None))


def refusal(presented: PresentedCredentials) -> ToolError:
    with pytest.raises(ToolError) as caught:
        directory().locate(presented)
    return caught.value


def named(presented: PresentedCredentials) -> tuple[str, str]:
    tenant = directory().locate(presented)
    return tenant.subdomain, tenant.api_domain


@pytest.mark.parametrize("domain", [AT_ACME, CUSTOM, LOCAL])
def test_a_registered_domain_is_its_tenant_at_that_domain(domain: str) -> None:
    assert named(PresentedCredentials(domain=(domain,))) == ("acme", domain)
    assert directory().find(domain).organisation == ACME


def test_the_path_names_a_tenant_as_well_as_the_header() -> None:
    assert named(PresentedCredentials(path="acme")) == ("acme", AT_ACME)
    assert named(PresentedCredentials(path="acme", domain=(CUSTOM,))) == ("acme", CUSTOM)


def test_naming_no_tenant_is_a_missing_domain() -> None:
    refused = refusal(PresentedCredentials())
    assert (refused.code, refused.status) == (Code.DOMAIN_MISSING, 401)


@pytest.mark.parametrize(
    "presented",
    [
        PresentedCredentials(domain=(AT_ACME,), path="globex"),
        PresentedCredentials(domain=(AT_ACME, AT_GLOBEX)),
        PresentedCredentials(domain=(AT_ACME, AT_ACME)),
        PresentedCredentials(domain=(f"{AT_ACME},{AT_GLOBEX}",)),
        PresentedCredentials(domain=(f"{AT_ACME}, {AT_ACME}",)),
    ],
)
def test_naming_two_tenants_is_a_conflict(presented: PresentedCredentials) -> None:
    assert refusal(presented).code is Code.DOMAIN_CONFLICT


@pytest.mark.parametrize(
    "presented",
    [
        PresentedCredentials(domain=(f"https://other.nudj.cx{SUFFIX}",)),
        PresentedCredentials(domain=(f"https://acme.nudj.cx:8443{SUFFIX}",)),
        PresentedCredentials(domain=(f"http://acme.localhost:4012{SUFFIX}",)),
        PresentedCredentials(domain=(f"http://127.0.0.1:4011{SUFFIX}",)),
        PresentedCredentials(domain=(f"https://acme.nudj.cx.evil.example{SUFFIX}",)),
        PresentedCredentials(domain=(f"https://xn--acm-epa.nudj.cx{SUFFIX}",)),
        PresentedCredentials(path="other"),
        PresentedCredentials(path="ACME"),
        PresentedCredentials(path=""),
        PresentedCredentials(path="acme/../globex"),
    ],
)
def test_a_tenant_nobody_registered_is_unknown(presented: PresentedCredentials) -> None:
    refused = refusal(presented)
    assert (refused.code, refused.status) == (Code.TENANT_UNKNOWN, 404)


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        ("", "empty"),
        ("x" * 301, "too_long"),
        ("${NUDJ_API_DOMAIN}", "unexpanded_variable"),
        (" " + AT_ACME, "whitespace"),
        (AT_ACME + "\n", "whitespace"),
        (AT_ACME + "\t", "whitespace"),
        (AT_ACME + "\x00", "whitespace"),
        (AT_ACME + "\u00a0", "whitespace"),
        (f"https://\u0430cme.nudj.cx{SUFFIX}", "not_ascii"),
        (f"https://acme\u3002nudj.cx{SUFFIX}", "not_ascii"),
        (f"https://acme\u200b.nudj.cx{SUFFIX}", "not_ascii"),
        (f"https://acme.nudj.cx\\@evil.example{SUFFIX}", "backslash"),
        (f"https://acme.nudj.cx%2f{SUFFIX}", "encoded"),
        (f"https://acme.nudj.cx@evil.example{SUFFIX}", "userinfo"),
        (f"https://user:pass@acme.nudj.cx{SUFFIX}", "userinfo"),
        (AT_ACME + "?x=1", "query"),
        (AT_ACME + "#x", "fragment"),
        (f"https://ACME.nudj.cx{SUFFIX}", "upper_case"),
        (f"HTTPS://acme.nudj.cx{SUFFIX}", "upper_case"),
        ("https://acme.nudj.cx/API/v2/admin", "upper_case"),
        (f"acme.nudj.cx{SUFFIX}", "no_scheme"),
        ("acme", "no_scheme"),
        (f"//acme.nudj.cx{SUFFIX}", "no_scheme"),
        (f"ftp://acme.nudj.cx{SUFFIX}", "no_scheme"),
        (f"file://{SUFFIX}", "no_scheme"),
        (f"https:/acme.nudj.cx{SUFFIX}", "no_scheme"),
        (AT_ACME + "/", "trailing_slash"),
        ("https://acme.nudj.cx", "missing_suffix"),
        ("https://acme.nudj.cx/", "missing_suffix"),
        ("https://acme.nudj.cx/api/v2", "missing_suffix"),
        ("https://acme.nudj.cx/api/v2/admin/../integration", "missing_suffix"),
        ("https://acme.nudj.cx/x/../api/v2/admin", "missing_suffix"),
        ("https://acme.nudj.cx//api/v2/admin", "missing_suffix"),
        ("https://acme.nudj.cx/api/v2/admin2", "missing_suffix"),
        (f"https://acme.nudj.cx.{SUFFIX}", "trailing_dot"),
        (f"https://127.0.0.2.{SUFFIX}", "trailing_dot"),
        (f"https://10.0.0.1{SUFFIX}", "ip_address"),
        (f"https://169.254.169.254{SUFFIX}", "ip_address"),
        (f"https://2130706433{SUFFIX}", "ip_address"),
        (f"https://0x7f.1{SUFFIX}", "ip_address"),
        (f"https://0x7f000001{SUFFIX}", "ip_address"),
        (f"https://127.1{SUFFIX}", "ip_address"),
        (f"https://017700000001{SUFFIX}", "ip_address"),
        (f"https://{SUFFIX}", "host"),
        (f"https://.nudj.cx{SUFFIX}", "host"),
        (f"https://acme..nudj.cx{SUFFIX}", "host"),
        (f"https://-acme.nudj.cx{SUFFIX}", "host"),
        (f"https://acme_x.nudj.cx{SUFFIX}", "host"),
        (f"https://{'a' * 64}.nudj.cx{SUFFIX}", "host"),
        (f"https://acme.nudj.cx:443{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:0{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:08443{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:65536{SUFFIX}", "port"),
        (f"https://acme.nudj.cx:80:81{SUFFIX}", "port"),
        (f"http://acme.localhost:80{SUFFIX}", "port"),
        (f"http://acme.nudj.cx{SUFFIX}", "http_not_https"),
        (f"http://localhost.nudj.cx{SUFFIX}", "http_not_https"),
    ],
)
def test_a_domain_in_any_other_spelling_is_refused_and_the_slip_is_named(domain: str, reason: str) -> None:
    refused = refusal(PresentedCredentials(domain=(domain,)))
    assert (refused.code, refused.reason) == (Code.DOMAIN_MALFORMED, reason)
    assert domain == "" or domain not in refused.message + refused.hint


def test_the_way_to_a_tenant_is_told_by_host_and_port_and_for_tenants_only() -> None:
    here = directory()
    assert here.route("globex.nudj.cx", 443) == Route("127.0.0.1:4011")
    assert here.route("acme.localhost", 4011) == Route()
    assert here.route("globex.nudj.cx", 80) is None
    assert here.route("evil.example", 443) is None


def test_ten_thousand_tenants_load_within_a_second_and_are_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tenants.toml"
    path.write_text(
        "".join(
            f'[tenants.t{turn}]\norganisation = "{turn:024x}"\napi_domain = "https://t{turn}.nudj.cx{SUFFIX}"\n'
            for turn in range(10_000)
        )
    )
    started = time.process_time()
    here = TenantFile(path).directory
    assert time.process_time() - started < 1
    started = time.process_time()
    for turn in range(10_000):
        assert here.find(f"https://t{turn}.nudj.cx{SUFFIX}").organisation == f"{turn:024x}"
    assert time.process_time() - started < 0.1
