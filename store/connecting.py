"""How a connection is made: which of several hosts takes writes, which password counts, and what is said when none
does.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import asyncpg
import structlog

from schemas.errors import TelltaleError, Unavailable

log = structlog.get_logger()

CONNECT_S = 5.0
HOST_S = 1.0  #: of several hosts: one that is silent must not use up the time in which the next one would answer
SHUT_OUT_S, SHUT_OUT_TIMES = 20.0, 3  #: refused so long and so often without one success: trying again will not help
_SAY_AGAIN_S = 60.0
#: Part of many an address that a provider shows, for libpq; asyncpg would hand them to the server, which knows none of
#: them.
_LIBPQS = frozenset(
    {
        "channel_binding",
        "connect_timeout",
        "fallback_application_name",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "require_auth",
        "sslcompression",
        "sslsni",
        "tcp_user_timeout",
    }
)


class SignInRefused(Unavailable):
    """The database refuses the password of {account}: TELLTALE_SECRET is not the one with which `telltale migrate` last
    ran.
    """

    def __init__(self, account: str) -> None:
        self.account, self.part, self.retry_after_s = account, "the database", 2.0
        TelltaleError.__init__(self, account=account)


@dataclass
class _Refusal:
    """Since when an account's password is refused, in machine time."""

    since: float
    told: float
    times: int = 1


_refusals: dict[str, _Refusal] = {}  # of this process, by account
_last_good: dict[str, int] = {}  # which of several hosts took writes, by the address as it was given


async def dial(url: str, **options: Any) -> asyncpg.Connection:
    """A connection to the host that takes writes. Raises SignInRefused, or what the last host had to say.

    The address may name several hosts, and behind # a previous password (store.roles.role_url).
    """
    hosts, account, failure = list(each_host(url)), account_of(url), OSError("no host is named")
    first = _last_good.get(url, 0)
    for number in (first, *(n for n in range(len(hosts)) if n != first)):
        try:
            connection = await _dial_host(hosts[number], account, several=len(hosts) > 1, **options)
        except (OSError, TimeoutError, asyncpg.InternalClientError, asyncpg.PostgresError) as error:
            failure = error
            continue
        _last_good[url] = number
        _refusals.pop(account, None)
        return connection
    if isinstance(failure, asyncpg.InvalidPasswordError):
        raise _refused(account) from failure
    if isinstance(failure, asyncpg.TargetServerAttributeNotMatched):
        raise OSError("none of the hosts takes writes") from failure
    raise failure


async def shut_out() -> None:
    """Waits until the database has refused our password for good.

    Whoever starts this process again gives it the secret of today.
    """
    while True:
        await asyncio.sleep(1.0)
        for account, refusal in _refusals.items():
            if refusal.times >= SHUT_OUT_TIMES and time.monotonic() - refusal.since > SHUT_OUT_S:
                raise SignInRefused(account)


def each_host(url: str) -> Iterator[str]:
    """The same address once for each of its hosts: postgresql://user@one:5432,two:5432/name, or
    ?host=one,two&port=5432.
    """
    parts = urlsplit(url)
    query = {name: value for name, value in parse_qsl(parts.query) if name not in _LIBPQS}
    parts = parts._replace(query=urlencode(query))
    names, ports = query.get("host", "").split(","), query.get("port", "").split(",")
    if len(names) > 1:
        for n, name in enumerate(names):
            port = ports[min(n, len(ports) - 1)]
            yield urlunsplit(
                parts._replace(query=urlencode({**query, "host": name, **({"port": port} if port else {})}))
            )
        return
    account, at, hosts = parts.netloc.rpartition("@")
    for host in hosts.split(","):
        yield urlunsplit(parts._replace(netloc=f"{account}{at}{host}"))


async def _dial_host(url: str, account: str, *, several: bool, **options: Any) -> asyncpg.Connection:
    """With the address's password, or else the previous one: while services are told a new secret one by one, one of
    the two counts.
    """
    parts = urlsplit(url)
    if several:
        options["timeout"] = min(options.get("timeout", CONNECT_S), HOST_S)
        if "target_session_attrs" not in dict(parse_qsl(parts.query)):
            options["target_session_attrs"] = "read-write"  # after a failover the old primary may be back, as a standby
    own = urlunsplit(parts._replace(fragment=""))
    try:
        connection = await asyncpg.connect(own, **options)
    except asyncpg.InvalidPasswordError:
        if not parts.fragment:
            raise
        host = parts.netloc.rpartition("@")[2]
        connection = await asyncpg.connect(
            urlunsplit(parts._replace(netloc=f"{account}:{parts.fragment}@{host}", fragment="")), **options
        )
    _notice_silence(connection)
    return connection


def _refused(account: str) -> SignInRefused:
    """One line in the log at once, then one a minute: every request that needs a new connection comes by here."""
    error, now = SignInRefused(account), time.monotonic()
    known = _refusals.get(account)
    if known is None:
        known = _refusals[account] = _Refusal(since=now, told=-_SAY_AGAIN_S, times=0)
    known.times += 1
    if now - known.told > _SAY_AGAIN_S or known.times == 1:
        known.told = now
        log.error("sign_in_refused", account=account, hint=str(error))
    return error


def account_of(url: str) -> str:
    """Who signs in."""
    return unquote(urlsplit(url).netloc.rpartition("@")[0].partition(":")[0])


def _notice_silence(connection: asyncpg.Connection) -> None:
    """A server's machine that lost its power says no good-bye: whoever only listens to it would wait for hours."""
    sock: socket.socket | None = connection._transport.get_extra_info("socket")  # asyncpg has no setting for it
    if sock is None or sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 25_000)):
        if hasattr(socket, option):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
