"""Child processes that cannot outlive us, and the small questions one asks about processes."""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_APART = 499  #: ports that neighbouring processes may be given before they meet
_given = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def die_with_parent(sig: int = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends `sig` to the child when the thread that started it ends, even by kill -9."""
    parent = os.getpid()

    def ask_the_kernel() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, sig)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return ask_the_kernel


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not (kill(pid, 0) would say it does)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if Path("/proc/self/stat").exists():
            return False
        try:  # no /proc: macOS
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def command_line(pid: int) -> str:
    """The command line of a process, or nothing when it is gone or hidden from us."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listened on a moment ago; callers try again when they lose the race.

    It is none of those that the kernel lends to outgoing connections: whoever is given one of these and lets go of it
    for a second, as every restart does, may find somebody's client on it (`ip_local_port_range` in ip-sysctl). Nor is
    one given twice by a process until all were given: several servers are often numbered before the first one listens.
    """
    ports = _not_lent()
    for _ in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = ports[(os.getpid() * _APART + next(_given)) % len(ports)]
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(errno.EADDRINUSE, f"no port of {host} is free")


def _not_lent() -> list[int]:
    """The ports for everybody that no outgoing connection is given."""
    try:
        first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    except OSError:
        first, last = 49_152, 65_535  # what IANA calls dynamic
    return [port for port in range(10_000, 65_536) if not first <= port <= last] or list(range(10_000, 65_536))
