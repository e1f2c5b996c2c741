"""Run the desk until cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from actions.context import House
from dealer_api import doorway
from dealer_api.allowance import Allowance
from dealer_api.app_keys import HEALTH
from dealer_api.application import build
from dealer_api.inbound import trust
from dealer_api.live import Live
from dealer_api.place import LOOPBACK, Proxies
from monitoring.page import Address, bracketed
from providers.register import ProviderSettings
from schemas.errors import Misconfigured
from schemas.profile import Profile
from store.photo_shelf import NoShelf, Shelf
from store.pool import open_pool

DRAIN_S = 3.0
CONNECTIONS = 21  #: of one process: the bell, and a pool each for the desk and for the owner's pages
#: a person does not wait longer; longer than a lock is waited for, so that a STOP outlasts a slow provider
STATEMENT_MS = 6_000


async def run(
    *,
    desk_url: str,
    owner_url: str,
    clock: Callable[[], datetime],
    wording: Any,
    secret: str,
    profiles: Mapping[str, Profile],
    host: str = "127.0.0.1",
    port: int = 0,
    base_url: str = "",
    demo: bool = False,
    providers: ProviderSettings | None = None,
    photos: Shelf | None = None,
    usual_channel: str = "phone",
    mails: bool = False,
    trusted_proxies: str = LOOPBACK,
    more_hosts: str = "",
    calls_a_minute: int = 0,
    connections: int = CONNECTIONS,
    health: Address = Address(),  # noqa: B008
    ready: Callable[..., None] = lambda **facts: None,
) -> None:
    """Serve. `desk_url` and `owner_url` sign in to the database as those roles; `ready(url=…, health=…)` is called when
    it listens.
    """
    size = (connections - 1) // 2
    pool = await open_pool(desk_url, name="desk", size=size, statement_timeout_ms=STATEMENT_MS, spotless=True)
    owner_pool = await open_pool(
        owner_url, name="owner-page", size=size, statement_timeout_ms=STATEMENT_MS, spotless=True
    )
    try:
        socket = web_socket(host, port)
        address = base_url or f"http://{bracketed(host)}:{socket.getsockname()[1]}"
        house = House(
            pool=pool,
            owner_pool=owner_pool,
            clock=clock,
            wording=wording,
            base_url=address,
            secret=secret,
            demo=demo,
            profiles=profiles,
            usual_channel=usual_channel,
            mails=mails,
            photos=photos or NoShelf(),
        )
        app = build(
            house,
            Live(desk_url),
            extensions=(partial(trust, providers or ProviderSettings()),),
            proxies=Proxies.read(trusted_proxies),
            hosts=doorway.hosts(base_url, more_hosts, (host,)),
            allowance=Allowance(calls_a_minute),
        )
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=DRAIN_S, handle_signals=False, lingering_time=doorway.LINGER_S
        )
        await runner.setup()
        try:
            await web.SockSite(runner, socket).start()
            async with app[HEALTH].page().open(health) as page:
                ready(url=f"http://{bracketed(host)}:{socket.getsockname()[1]}", health=page)
                await asyncio.Event().wait()
        finally:
            await runner.cleanup()
    finally:
        await asyncio.gather(pool.close(), owner_pool.close(), return_exceptions=True)


def web_socket(host: str, port: int) -> Any:
    """A listening socket, made first so that its port is known before links are made of it."""
    import socket

    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, reuse_port=False
        )
    except OSError as error:
        raise Misconfigured("TELLTALE_DESK_PORT", f"{host}:{port} cannot be listened on: {error.strerror}") from None
