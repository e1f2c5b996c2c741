"""Knocks at one address as fast as it is answered: a plain client that costs little itself.

python -m proofs.bench.knocking HOST PORT PATH SECONDS CONNECTIONS [HEADER …]
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


async def knock(host: str, port: int, request: bytes, until: float, waits: list[float]) -> None:
    """One connection, one request after the other."""
    reader, writer = await asyncio.open_connection(host, port)
    while (began := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"answered {head[:200]!r}")
        found = _LENGTH.search(head)
        assert found is not None
        await reader.readexactly(int(found[1]))
        waits.append(time.perf_counter() - began)
    writer.close()


async def main(host: str, port: str, path: str, seconds: str, connections: str, *headers: str) -> None:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *headers]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    waits: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(
        *(
            knock(host, int(port), request=request, until=began + float(seconds), waits=waits)
            for _ in range(int(connections))
        )
    )
    waits.sort()
    took = time.perf_counter() - began
    sys.stdout.write(
        json.dumps(
            {
                "per_second": len(waits) / took,
                "p50_ms": waits[len(waits) // 2] * 1e3,
                "p99_ms": waits[int(len(waits) * 0.99)] * 1e3,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
