"""A browser that nobody looks at: opens the URL it is given, signs in, allows, and follows to the program's callback.

Started by real clients in place of `xdg-open` or `$BROWSER`; who signs in and what is chosen stands in the environment.
"""

import asyncio
import os
import sys
from pathlib import Path

import httpx

from server.sandbox.accounts import Account
from tests.support.oauth_client import Person

ROOT = Path(__file__).parents[2]


def install(folder: Path) -> Path:
    """Put the browser into a folder under the names that clients start, for `PATH` and `BROWSER`."""
    script = folder / "xdg-open"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m {__spec__.name} "$@" &\n')
    script.chmod(0o755)
    return script


def describe_person(account: Account, organisation: str) -> dict[str, str]:
    """The environment in which the browser is this person."""
    return {"NUDJ_EMAIL": account.email, "NUDJ_PASSWORD": account.password, "NUDJ_ORGANISATION": organisation}


async def _run(url: str) -> None:
    account = Account("", os.environ["NUDJ_EMAIL"], "", (), os.environ["NUDJ_PASSWORD"])
    async with httpx.AsyncClient(timeout=30) as http:
        person = Person(account, http)
        page = await person.sign_in(url)
        chosen = {"organisation": os.environ["NUDJ_ORGANISATION"]}
        answer = await person.submit(page, "allow", **chosen)
        await http.get(answer.headers["location"])


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[-1]))
