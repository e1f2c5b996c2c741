"""Where a caller is, and what of it is shown to people."""

from __future__ import annotations

import pytest

from actions.visitor import UNKNOWN, Visitor, neighbourhood, roughly
from dealer_api.place import LOOPBACK, Proxies
from schemas.errors import Misconfigured

OURS = Proxies.read("10.0.0.0/8, 192.0.2.7, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "place"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody of ours: what it says is not believed
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the left one was written by the caller
        ("10.0.0.2", "198.51.100.1, 203.0.113.9, 192.0.2.7", "203.0.113.9"),
        ("10.0.0.2", "10.1.1.1, 10.2.2.2", "10.1.1.1"),  # all of them are ours: somebody inside
        ("10.0.0.2", "203.0.113.9:4711", "203.0.113.9"),
        ("fd00::1", "[2001:db8::5]:443", "2001:db8::5"),
        ("::ffff:10.0.0.2", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "unknown", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9, garbage", "10.0.0.2"),
        ("10.0.0.2", "<script>", "10.0.0.2"),
        (None, "203.0.113.9", UNKNOWN),
    ],
)
def test_the_place_is_the_rightmost_hop_that_is_none_of_our_proxies(peer, forwarded, place):
    assert OURS.place(peer, forwarded) == place


def test_a_proxy_on_the_same_machine_is_believed_by_default_and_nobody_when_told_so():
    assert Proxies.read(LOOPBACK).place("127.0.0.1", "203.0.113.9") == "203.0.113.9"
    assert Proxies.read(LOOPBACK).place("172.18.0.2", "203.0.113.9") == "172.18.0.2"
    assert Proxies.read("none").place("127.0.0.1", "203.0.113.9") == "127.0.0.1"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy", "10.0.0.0/8;192.0.2.7", "1.2.3.4/33"])
def test_what_is_no_network_is_refused_by_name(text):
    with pytest.raises(Misconfigured, match="TELLTALE_TRUSTED_PROXIES"):
        Proxies.read(text)


def test_a_person_is_shown_roughly_where_and_with_what():
    assert (
        roughly("203.0.113.9"),
        roughly("2001:db8:1:2::5"),
        roughly("127.0.0.1"),
        roughly("::1"),
        roughly(UNKNOWN),
    ) == (
        "203.0.113.x",
        "2001:db8:1::/48",
        "this machine",
        "this machine",
        "an unknown place",
    )
    assert neighbourhood("2001:db8:1:2::5") == neighbourhood("2001:db8:1:2:ffff::1") != neighbourhood("2001:db8:1:3::5")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
            "Safari/537.36 Edg/130.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile "
            "Safari/537.36",
            "Chrome on Android",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("curl/8.5.0", "a program (curl)"),
        ("", "an unknown program"),
        ("<script>alert(1)</script>", "an unknown program"),
    ],
)
def test_a_browser_in_words(agent, words):
    assert Visitor("203.0.113.9", agent=agent).words == words
