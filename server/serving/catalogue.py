"""What every command that serves has in common; apart, so that none of them has to load what another one needs."""

import sys
from typing import Any

from server.assembly import Catalogue
from tools import CATALOGUE
from tools.api.operations import GET_ORGANISATION
from tools.prompts import PROMPTS
from tools.resources import RESOURCES
from tools.toolsets import DEFAULT, TOOLSETS

WHOLE = Catalogue(CATALOGUE, TOOLSETS, DEFAULT, PROMPTS, RESOURCES, GET_ORGANISATION)

LOOP: dict[str, Any] = {"use_uvloop": sys.platform != "win32"}
"""The event loop of every command that serves."""
