"""Which share a gateway carries: said, or taken from the number of its pod."""

from __future__ import annotations

import socket

import pytest

from schemas.errors import Misconfigured
from telltale.settings import Settings


@pytest.mark.parametrize(
    "host, share, means",
    [
        ("gateway-0", "auto/3", (0, 3)),
        ("gateway-2", "auto/3", (2, 3)),
        ("telltale-gateway-11.gateway.telltale.svc.cluster.local", "auto/16", (11, 16)),
        ("anything", "1/2", (1, 2)),
    ],
)
def test_a_share_may_be_taken_from_the_number_at_the_end_of_the_hosts_name(
    monkeypatch: pytest.MonkeyPatch, host: str, share: str, means: tuple[int, int]
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert Settings.read(share=share).shares == means


@pytest.mark.parametrize(
    "host, share, text",
    [
        ("laptop", "auto/3", "ends in a number.*laptop"),
        ("gateway-3", "auto/3", "3/3 is no share"),
        ("gateway-7f9c", "auto/3", "ends in a number"),
        ("gateway-0", "auto", "TELLTALE_SHARE"),
        ("gateway-0", "auto/0", "0/0 is no share"),
    ],
)
def test_what_is_no_share_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, host: str, share: str, text: str) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    with pytest.raises(Misconfigured, match=text):
        Settings.read(share=share)
