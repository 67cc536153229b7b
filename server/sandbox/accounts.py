"""Who may sign in: a few seeded people, whose passwords exist in the clear only where a person reads them."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from anyio.to_thread import run_sync

from server.sandbox.faults import Fault

_TRIES, _PAUSE_S = 5, 30.0
_COST = {"n": 2**13, "r": 8, "p": 1}
"""Of scrypt. Moderate, because each start hashes every account and the passwords are 90 random bits anyway."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person.

    Parameters:
        id: 24 hex digits; the subject of the person's tokens.
        password: of this run, for whoever started it to read.
        role: the most that this person may be or give, in each of the organisations.
        organisations: subdomains.
    """

    id: str
    email: str
    role: str
    organisations: tuple[str, ...]
    password: str = field(repr=False)


def seed_accounts(identify: Callable[[str, str], str], seed: str | None = None) -> tuple[Account, ...]:
    """The accounts of this run; `identify` makes the id of an address, `seed` the same passwords as last time."""
    people = (
        ("admin@acme.example", "admin", ("acme",)),
        ("manager@acme.example", "manager", ("acme",)),
        ("admin@globex.example", "admin", ("globex",)),
        ("consultant@both.example", "admin", ("acme", "globex")),
    )
    return tuple(
        Account(identify("account", email), email, role, organisations, _choose_password(email, seed))
        for email, role, organisations in people
    )


def _choose_password(email: str, seed: str | None) -> str:
    if seed is None:
        return secrets.token_urlsafe(12)
    return base64.urlsafe_b64encode(hmac.digest(seed.encode(), email.encode(), "sha256")[:12]).decode()


@dataclass(slots=True)
class _Kept:
    account: Account
    salt: bytes
    digest: bytes
    failures: int = 0
    paused_until: float = 0.0


class Accounts:
    """Checks passwords, and pauses after wrong ones."""

    def __init__(self, accounts: Iterable[Account], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept = {each.email: _keep(each) for each in accounts}
        self._nobody = secrets.token_bytes(16)
        self._by_id = {each.account.id: each for each in self._kept.values()}
        self.emails = {each.account.id: each.account.email for each in self._kept.values()}

    async def check(self, email: str, password: str) -> Account:
        """The account behind an address and its password.

        Raises:
            Fault: 401, which does not say whether the address exists; 429 for 30 s after five wrong passwords.
        """
        kept = self._kept.get(email.strip().lower())
        if kept is not None and self._clock() < kept.paused_until:
            raise Fault(429, "Too many wrong passwords: wait half a minute.")
        # An unknown address costs as much time as a known one, so that time does not tell them apart.
        digest = await run_sync(_digest, password, self._nobody if kept is None else kept.salt)
        if kept is None or not hmac.compare_digest(digest, kept.digest):
            if kept is not None:
                self._note_failure(kept)
            raise Fault(401, "The e-mail address or the password is wrong.")
        kept.failures = 0
        return kept.account

    def find(self, account_id: str) -> Account | None:
        """A person as known now, whose password nobody can read any more."""
        kept = self._by_id.get(account_id)
        return None if kept is None else kept.account

    def change(self, account_id: str, *, role: str, organisations: tuple[str, ...]) -> None:
        """Give a person another role or other organisations; none at all is how somebody leaves."""
        kept = self._by_id[account_id]
        kept.account = replace(kept.account, role=role, organisations=organisations)

    def _note_failure(self, kept: _Kept) -> None:
        kept.failures += 1
        if kept.failures % _TRIES == 0:
            kept.paused_until = self._clock() + _PAUSE_S


def _keep(account: Account) -> _Kept:
    salt = secrets.token_bytes(16)
    public = Account(account.id, account.email, account.role, account.organisations, password="")
    return _Kept(public, salt, _digest(account.password, salt))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
