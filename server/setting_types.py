"""The forms that values of settings have, each with its check."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr


def _split_words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _check_url(value: str) -> str:
    loopback = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
    if not value.startswith(("https://", *loopback)):
        raise ValueError("must start with https:// (http:// only for 127.0.0.1, localhost and [::1])")
    return value


def check_base(value: str | None) -> str | None:
    """A base URL, without what would have to follow a path."""
    if value is not None and ({"?", "#", "@"} & set(value)):
        raise ValueError("must be scheme, host and perhaps a path, without query, fragment or credentials")
    return value and value.rstrip("/")


def check_claim(name: str) -> str:
    """The name of a claim, which may be a URL."""
    if not name or not name.isprintable() or " " in name:
        raise ValueError("is not the name of a claim")
    return name


def check_header(header: str) -> str:
    """A header of the operator's choice, which must not be one of ours."""
    if header.lower() in ("x-api-token", "x-api-domain", "x-request-id", "x-language"):
        raise ValueError("is a header with a meaning of its own")
    return header


def check_proxy(value: SecretStr | None) -> SecretStr | None:
    """How the way out finds its proxy; a URL may carry credentials and is never shown."""
    said = "none" if value is None else value.get_secret_value()
    if said not in ("none", "environment"):
        parts = urlsplit(said)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError("must be none, environment or http(s)://[user:password@]host[:port]")
    return value


def _check_exists(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("no such file")
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_split_words)]
Web = Annotated[str, AfterValidator(_check_url)]
File = Annotated[Path, AfterValidator(_check_exists)]
Port = Annotated[int, Field(ge=0, le=65535)]
