"""What is wrong with a Redis, as one word for log, metric and readiness."""

import socket
import ssl

from redis import exceptions as redis

_ANSWERED = {
    "NOAUTH": "unauthenticated",
    "WRONGPASS": "unauthenticated",
    "NOPERM": "unauthenticated",
    "READONLY": "read_only_replica",
    "LOADING": "loading",
    "MASTERDOWN": "replica_without_primary",
    "NOREPLICAS": "too_few_replicas",
    "CLUSTERDOWN": "cluster",
    "CROSSSLOT": "cluster",
    "MOVED": "cluster",
    "ASK": "cluster",
    "OOM": "out_of_memory",
    "MISCONF": "cannot_write_to_disk",
}
"""First words of answers that are errors."""

_TYPES: tuple[tuple[type[Exception], str], ...] = (
    (redis.AuthenticationError, "unauthenticated"),
    (redis.NoPermissionError, "unauthenticated"),
    (redis.ReadOnlyError, "read_only_replica"),
    (redis.BusyLoadingError, "loading"),
    (redis.MasterDownError, "replica_without_primary"),
    (redis.OutOfMemoryError, "out_of_memory"),
    (redis.MovedError, "cluster"),
    (redis.AskError, "cluster"),
    (redis.ClusterError, "cluster"),
    (ssl.SSLError, "tls"),
    (socket.gaierror, "unresolvable"),
    (ConnectionRefusedError, "refused"),
    (redis.TimeoutError, "silent"),
    (TimeoutError, "silent"),
)
_SAME_EVERYWHERE = frozenset({"out_of_memory", "cannot_write_to_disk", "silent", "error", "no_such_database"})
"""Reasons for which another connection would be no better."""


def name_fault(error: BaseException) -> str:
    """The word for an error of the client library, by what caused it."""
    causes = list(_list_causes(error))
    for cause in causes:
        for kind, word in _TYPES:
            if isinstance(cause, kind):
                return word
    said = str(error)
    if "DB index" in said:
        return "no_such_database"
    found = _ANSWERED.get(said.split(" ", 1)[0])
    if found is not None:
        return found
    return "dropped" if any(isinstance(cause, redis.ConnectionError | OSError) for cause in causes) else "error"


def is_of_connection(error: BaseException) -> bool:
    """Whether a new connection may lead to a server that answers otherwise."""
    return name_fault(error) not in _SAME_EVERYWHERE


def _list_causes(error: BaseException | None) -> list[BaseException]:
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes
