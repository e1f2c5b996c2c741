"""Where a caller is: behind proxies that we were told to trust, the place that the last of them saw."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

import structlog
from aiohttp import web

from actions.visitor import UNKNOWN, Address, address
from schemas.errors import Misconfigured

log = structlog.get_logger()
Network = IPv4Network | IPv6Network
LOOPBACK = "127.0.0.0/8, ::1"  #: a proxy on the same machine is believed unless something else is set


class Proxies:
    """The networks in which our own proxies stand. What anybody else writes into X-Forwarded-… is not believed."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = tuple(networks)
        self._told: set[str] = set()

    @classmethod
    def read(cls, text: str) -> Proxies:
        """Networks or addresses with commas between, or `none`."""
        try:
            return cls(
                [ip_network(part.strip()) for part in text.split(",") if part.strip()] if text.strip() != "none" else []
            )
        except ValueError as error:
            raise Misconfigured(
                "TELLTALE_TRUSTED_PROXIES",
                f"{error}: write networks as in 10.0.0.0/8, 192.0.2.7, with commas between, or none",
            ) from None

    def trusts(self, address: Address) -> bool:
        """Whether one of our proxies stands there."""
        return any(address in network for network in self._networks if address.version == network.version)

    def place(self, peer: str | None, forwarded: str) -> str:
        """The caller's address: from the right, the first hop that is none of our proxies.

        `forwarded`: X-Forwarded-For as it came.
        """
        at = address(peer or "")
        if at is None:
            return UNKNOWN
        if forwarded and not self.trusts(at):
            self._tell(str(at))
        for hop in reversed(forwarded.split(",")):
            if not self.trusts(at):
                break
            before = address(hop)
            if before is None:
                break  # nothing, or nonsense: what the proxy saw is all we know
            at = before
        return str(at)

    def _tell(self, peer: str) -> None:
        """Once for each: whoever set up a proxy should hear why everybody seems to sit in one place."""
        if peer not in self._told and len(self._told) < 20:
            self._told.add(peer)
            log.warning(
                "forwarded_by_a_stranger", peer=peer, todo="if this is your proxy, name it in TELLTALE_TRUSTED_PROXIES"
            )


PROXIES: web.AppKey[Proxies] = web.AppKey("proxies", Proxies)


def place_of(request: web.Request) -> str:
    """Where this request comes from, as an address."""
    return request.app[PROXIES].place(request.remote, ",".join(request.headers.getall("X-Forwarded-For", [])))


def is_https(request: web.Request) -> bool:
    """Whether the caller's browser speaks TLS with us or with a proxy of ours."""
    peer = address(request.remote or "")
    scheme = ",".join(request.headers.getall("X-Forwarded-Proto", [])).rpartition(",")[2].strip().lower()
    return request.secure or (scheme == "https" and peer is not None and request.app[PROXIES].trusts(peer))
