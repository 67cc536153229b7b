"""How many files and sockets this process may open, and what of it is whose: the way out gets half at most."""

import sys

if sys.platform != "win32":
    import resource

_MOST = 65_536
_WINDOWS = 512


def limit() -> int:
    """Descriptors this process may have open."""
    if sys.platform == "win32":
        return _WINDOWS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if soft == resource.RLIM_INFINITY else min(soft, _MOST)


def half_of_files() -> int:
    """Unused connections that may be kept on the way out."""
    return limit() // 2


def raise_limit() -> None:
    """Take what the system grants without asking: the soft limit becomes the hard one."""
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
