"""A port for a server that will be restarted is one that no client is given in the meantime."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from telltale.embedded.process import free_port

_LENT = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not _LENT.exists(), reason="only Linux says which ports it lends to clients")
def test_a_free_port_is_none_that_the_kernel_lends_to_outgoing_connections() -> None:
    first, last = map(int, _LENT.read_text().split())

    ports = {free_port() for _ in range(100)}

    assert all(not first <= port <= last for port in ports)
    assert len(ports) == 100, "several servers are numbered before the first one listens"


def test_a_free_port_is_not_one_that_somebody_listens_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        busy, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        monkeypatch.setattr("telltale.embedded.process._not_lent", lambda: [busy, free])

        assert {free_port() for _ in range(4)} == {free}


def test_that_no_port_is_free_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr("telltale.embedded.process._not_lent", lambda: [taken.getsockname()[1]])

        with pytest.raises(OSError, match="no port of"):
            free_port()
