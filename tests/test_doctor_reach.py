"""What lies between a client and the server, broken on purpose: certificates, and pages that are not the server."""

import asyncio
import datetime
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.clients.own_process import isolate_ourselves
from server.doctor.results import Kind
from tests.support.doctor_runs import broken, examined, remote
from tests.support.scripted_servers import reply, site

PAGES: tuple[tuple[str, bytes, Kind, str], ...] = (
    ("a web page", reply(b"<html>", "content-type: text/html"), Kind.CONFIG, "not_mcp"),
    ("another path", reply(b"", status="404 Not Found"), Kind.CONFIG, "wrong_path"),
    ("a redirect", reply(b"", "location: https://mcp.nudj.cx/mcp", status="308 Moved"), Kind.CONFIG, "redirect"),
    ("a wall before it", reply(b"", status="401 Unauthorized"), Kind.TOKEN, "http_401"),
    ("a host it does not serve", reply(b"", status="421 Misdirected"), Kind.SERVER, "host_not_served"),
    (
        "a firewall's page",
        reply(b"<html>", "content-type: text/html", status="403 Forbidden"),
        Kind.NETWORK,
        "intermediary",
    ),
    ("a balancer without a server", reply(b"", status="503 Unavailable"), Kind.SERVER, "http_503"),
    ("another protocol", b"220 smtp ready\r\n\r\n", Kind.NETWORK, "protocol"),
)


@pytest.mark.parametrize(("page", "kind", "reason"), [case[1:] for case in PAGES], ids=[case[0] for case in PAGES])
async def test_what_answers_in_place_of_the_server_is_named(
    tmp_path: Path, page: bytes, kind: Kind, reason: str
) -> None:
    async with site(page) as here:
        steps = await examined(tmp_path, {**remote(), "url": here.url(path="/mcp")})
    assert broken(steps) == ("server", kind, reason)


def _hour(hours: int) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)


def _certificate(folder: Path, host: str, until: int) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_hour(until - 2))
        .not_valid_after(_hour(until))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, SHA256())
    )
    file = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


@asynccontextmanager
async def _port(certificate: Path | None) -> AsyncIterator[int]:
    context = None if certificate is None else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if context is not None and certificate is not None:
        context.load_cert_chain(certificate)

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("host", "until", "trusted", "reason"),
    [
        ("localhost", 1, False, "self_signed"),
        ("elsewhere.example", 1, True, "other_host"),
        ("localhost", -1, True, "certificate_expired"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_named(
    tmp_path: Path, host: str, until: int, trusted: bool, reason: str
) -> None:
    certificate = _certificate(tmp_path, host, until)
    async with _port(certificate) as port:
        words = ("--trust", str(certificate)) if trusted else ()
        steps = await examined(tmp_path, {**remote(), "url": f"https://localhost:{port}/mcp"}, *words)
    assert broken(steps) == ("connect", Kind.TLS, reason)


async def test_an_own_authority_is_trusted_for_the_servers_host_when_told(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path, "localhost", 1)
    async with _port(certificate) as port:
        block = {**remote(), "url": f"https://localhost:{port}/mcp"}
        assert broken(await examined(tmp_path, block, "--trust", str(certificate)))[0] == "server"


async def test_https_to_a_server_that_speaks_plain_http_is_named(tmp_path: Path) -> None:
    async with _port(None) as port:
        steps = await examined(tmp_path, {**remote(), "url": f"https://localhost:{port}/mcp"})
    assert broken(steps) == ("connect", Kind.TLS, "https_not_http")


async def _diagnose(**around: str) -> tuple[str, str]:
    """Where the command broke and why, in an environment with a proxy in it."""
    words = isolate_ourselves({}, "doctor", "--url", "https://mcp.nudj.invalid/mcp", "--json").command
    given = {
        "PATH": os.defpath,
        "NUDJ_MCP_TOKEN": "aaa.bbb.ccc",
        "NUDJ_API_DOMAIN": "https://acme.nudj.cx/api/v2/admin",
    }
    done = await anyio.run_process([*words], env=given | around, check=False)
    broken_step = next(step for step in json.loads(done.stdout)["steps"] if step.get("good") is False)
    return broken_step["name"], broken_step["reason"]


async def test_a_proxy_that_is_not_there_is_told_from_a_server_that_is_not() -> None:
    assert await _diagnose(HTTPS_PROXY="http://127.0.0.1:1") == ("connect", "proxy_unreachable")
    assert await _diagnose(HTTPS_PROXY="http://127.0.0.1:1", NO_PROXY="nudj.invalid") == ("name", "dns")


async def test_a_proxy_that_refuses_is_named() -> None:
    async with site(reply(b"", status="407 Proxy Authentication Required")) as here:
        assert await _diagnose(HTTPS_PROXY=here.url()) == ("server", "proxy_refused")
