"""Where the table of tenants comes from, and how a change reaches it: whole and valid, or not at all."""

import logging
import tomllib
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.to_thread

from server.credentials.strict_json import strict_json
from server.http.client import OutboundClient
from server.http.polling import PolledDocument, Unread
from server.http.port import Send
from server.http.proxies import build_finder
from server.settings import Settings, read_environment
from server.tenants.directory import Directory
from server.tenants.domain import find_fault
from server.tenants.entries import Mistakes, Table, build_table, named_files
from server.tenants.tenant import Tenant

_LOG = logging.getLogger(__name__)
_CAP = 64_000_000

_Stamp = tuple[int, int, int] | None


class Source(Protocol):
    """A directory that stays current."""

    @property
    def directory(self) -> Directory:
        """The tenants, as last read."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the directory was read; later failures leave it as it was."""
        ...

    async def refresh(self) -> bool:
        """Read again now; whether what was read is in force."""
        ...

    async def run(self) -> None:
        """Follow changes until cancelled."""
        ...


class OneTenant:
    """The one configured domain of a person's own machine; who is behind it only the tenant itself can confirm."""

    ready = True

    def __init__(self, api_domain: str | None) -> None:
        """Make the directory of one; without a canonical domain it is empty, and each call says what is wrong."""
        if api_domain is None or find_fault(api_domain) is not None:
            self.directory = Directory(Table.of({}, {}))
            return
        tenant = Tenant("", api_domain, api_domain.partition("://")[2].partition(".")[0])
        self.directory = Directory(Table.of({api_domain: tenant}, {}))

    async def refresh(self) -> bool:
        """Nothing to read."""
        return True

    async def run(self) -> None:
        """Nothing to follow."""


class TenantFile:
    """A TOML file: `[tenants.acme]` with `organisation`, `api_domain` and what else an Entry may have.

    The files its entries name belong to it: a change in any of them is a change of the directory.

    Parameters:
        every_s: seconds between looks at the file, > 0.
    """

    ready = True

    def __init__(self, path: Path, *, every_s: float = 1.0) -> None:
        """Read the file.

        Raises:
            Mistakes: it cannot be read, or anything in it is wrong.
        """
        self._path = path
        self._every_s = every_s
        self._seen: dict[Path, _Stamp] = {}
        self.directory = Directory(self._read())

    async def refresh(self) -> bool:
        """Read the file now; a bad edit leaves the tenants as they are and says so in the log."""
        try:
            self.directory.replace(await anyio.to_thread.run_sync(self._read))
        except Mistakes as fault:
            _LOG.warning(
                "the tenant file has mistakes, so the tenants stay as they were: %s", "; ".join(fault.mistakes)
            )
            return False
        _LOG.info("the tenant file was read: %d tenants", len(self.directory))
        return True

    async def run(self) -> None:
        """Read the file again whenever it, or a file it names, changed."""
        while True:
            await anyio.sleep(self._every_s)
            if any(_read_stamp(path) != seen for path, seen in self._seen.items()):
                await self.refresh()

    def _read(self) -> Table:
        """The table; what each file looked like is kept from before it was read."""
        self._seen = {self._path: _read_stamp(self._path)}
        try:
            document = tomllib.loads(self._path.read_text("utf-8"))
        except OSError as fault:
            raise Mistakes([f"the tenant file cannot be read: {fault.strerror}"]) from None
        except ValueError as fault:
            raise Mistakes([f"the tenant file is not TOML: {fault}"]) from None
        self._seen |= {path: _read_stamp(path) for path in named_files(document, self._path.parent)}
        return build_table(document, self._path.parent)


class TenantFeed:
    """The same shape as JSON at an https URL of the operator's.

    Parameters:
        every_s: seconds between reads, > 0.
    """

    def __init__(self, url: str, send: Send, *, every_s: float = 5.0) -> None:
        self._source = PolledDocument(url, send, cap=_CAP, timeout_s=30.0)
        self._every_s = every_s
        self.directory = Directory(Table.of({}, {}))
        self.ready = False

    async def refresh(self) -> bool:
        """Read the feed now; no answer or a bad one leaves the tenants as they are and says so in the log."""
        try:
            body = await self._source.read()
            if body is not None:
                self.directory.replace(await anyio.to_thread.run_sync(_parse, body))
        except (Unread, Mistakes) as fault:
            self._source.forget()
            _LOG.warning("the tenant feed is not usable, so the tenants stay as they were: %s", fault)
            return False
        self.ready = True
        return True

    async def run(self) -> None:
        """Read the feed again and again until cancelled."""
        while True:
            await self.refresh()
            await anyio.sleep(self._every_s)


def _read_stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _parse(body: bytes) -> Table:
    try:
        document: Any = strict_json(body)
    except ValueError as fault:
        raise Mistakes([f"the tenant feed is not JSON: {fault}"]) from None
    return build_table(document, None)


def open_directory(local: Source | None, settings: Settings) -> tuple[OutboundClient, Source]:
    """The way out and the directory it follows, which may itself be read over it.

    Parameters:
        local: the directory, unless it is the feed that the settings name.
        settings: which proxy is on the way, how many requests to one host may be under way at once, and the feed.
    """
    proxies = build_finder(settings.proxy_choice, read_environment())
    net = OutboundClient(
        lambda host, port: tenants.directory.route(host, port), proxies, per_host=settings.tenant_calls
    )
    tenants: Source = local or TenantFeed(settings.tenants_url or "", net.send)
    tenants.directory.on_change = net.withdraw_routes
    return net, tenants
