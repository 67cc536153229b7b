"""The way in and out: who asks, may they, and how it travels. What other programs may use of it is named here.

Names are loaded when they are asked for (PEP 562), so that no command pays for what another one needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.observability.audit import RotatingFile, Sink, Stream
    from server.serving.embedding import EmbeddedApp, create_app, run_stdio
    from server.settings import Settings, SettingsError, load_settings

__version__ = "0.2.0"

__all__ = [
    "EmbeddedApp",
    "RotatingFile",
    "Settings",
    "SettingsError",
    "Sink",
    "Stream",
    "create_app",
    "load_settings",
    "run_stdio",
]

_HOMES = {
    "EmbeddedApp": "server.serving.embedding",
    "RotatingFile": "server.observability.audit",
    "Settings": "server.settings",
    "SettingsError": "server.settings",
    "Sink": "server.observability.audit",
    "Stream": "server.observability.audit",
    "create_app": "server.serving.embedding",
    "load_settings": "server.settings",
    "run_stdio": "server.serving.embedding",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'server' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
