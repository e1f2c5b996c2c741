"""A small TCP proxy that breaks connections on purpose: cut, delay, stall (half-open). Loopback only."""

from __future__ import annotations

import asyncio
import contextlib


class Proxy:
    """Stands between two parts; the target may change while it runs."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.delay_s, self.piece = 0.0, 65_536  #: each piece of so many bytes is held up so long
        self.port = 0
        self._up, self._down = asyncio.Event(), asyncio.Event()  # towards the target, and back
        self.flow()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> Proxy:
        """Listen on a free port of the loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Close the door and every connection."""
        if self._server is not None:
            self._server.close()
        self.cut()

    def cut(self) -> int:
        """Reset every connection; how many there were."""
        cut = len(self._open)
        for writer in list(self._open):
            writer.transport.abort()
        return cut

    def stall(self) -> None:
        """Both ways go silent without closing: the half-open socket."""
        self.stall_up()
        self.stall_down()

    def stall_up(self) -> None:
        """Nothing reaches the target any more."""
        self._up.clear()

    def stall_down(self) -> None:
        """Nothing comes back from the target any more."""
        self._down.clear()

    def flow_down(self) -> None:
        """Answers flow again."""
        self._down.set()

    def flow(self) -> None:
        """Everything flows again."""
        self._up.set()
        self._down.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back, self._up))
                group.create_task(self._pump(there, writer, self._down))
        except* OSError:
            pass
        finally:
            self._open -= {writer, back}
            for side in (
                writer,
                back,
            ):  # whichever pump failed first: a dead client must not leave its connection behind us
                side.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event) -> None:
        while data := await reader.read(self.piece):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await flowing.wait()
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
        raise ConnectionResetError("the other side closed")  # ends the pair
