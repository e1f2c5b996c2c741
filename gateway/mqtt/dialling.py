"""A connected socket from one of several hosts. Nothing in it blocks the loop: not a host that does not answer, not one
that takes the connection and then says nothing to our TLS hello."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress

from gateway.mqtt.address import Host, Tls

REACH_S = 5.0  #: for one host: its name, the connection and the handshake
NEXT_S = 0.4  #: after this the next host is tried beside the one that has not answered yet


async def dial(hosts: Sequence[Host], tls: Tls | None) -> tuple[socket.socket, Host]:
    """The first host that takes us, in this order; the next one at once when a host refuses.

    Raises the first host's error (OSError, TimeoutError) when none does.
    """
    tries: dict[asyncio.Task[socket.socket], Host] = {}
    waiting, failed = list(hosts), list[BaseException]()
    try:
        while waiting or tries:
            if waiting:
                host = waiting.pop(0)
                tries[asyncio.create_task(_reach(host, tls))] = host
            done, _ = await asyncio.wait(
                tries, timeout=NEXT_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                error = task.exception()
                if error is None:
                    return task.result(), tries.pop(task)
                failed.append(error)
                del tries[task]
        raise failed[0]
    finally:
        for task in tries:
            task.add_done_callback(_hang_up)
            task.cancel()


def _hang_up(task: asyncio.Task[socket.socket]) -> None:
    """Another host was quicker."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _reach(host: Host, tls: Tls | None) -> socket.socket:
    async with asyncio.timeout(REACH_S):
        context = await asyncio.to_thread(tls.context) if tls is not None else None
        found = await asyncio.get_running_loop().getaddrinfo(*host, type=socket.SOCK_STREAM)
        error: OSError = ConnectionError(f"{host[0]} has no address")
        for family, kind, proto, _, where in found:
            sock = socket.socket(family, kind, proto)
            sock.setblocking(False)
            try:
                async with asyncio.timeout(REACH_S / len(found)):
                    await asyncio.get_running_loop().sock_connect(sock, where)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return await _shake_hands(sock, context, host[0]) if context is not None else sock
            except OSError as again:
                sock.close()
                error = again
            except BaseException:
                sock.close()
                raise
        raise error


async def _shake_hands(plain: socket.socket, context: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    sock = context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
    try:
        while True:
            try:
                sock.do_handshake()
                return sock
            except ssl.SSLWantReadError:
                await _until(sock, "reader")
            except ssl.SSLWantWriteError:
                await _until(sock, "writer")
    except BaseException:
        sock.close()
        raise


async def _until(sock: socket.socket, way: str) -> None:
    """Until it is readable, or writable."""
    loop = asyncio.get_running_loop()
    there = asyncio.Event()
    add, remove = (loop.add_reader, loop.remove_reader) if way == "reader" else (loop.add_writer, loop.remove_writer)
    add(sock, there.set)
    try:
        await there.wait()
    finally:
        with suppress(OSError, ValueError):
            remove(sock)
