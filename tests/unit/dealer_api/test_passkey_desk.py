"""What a passkey belongs to: the desk's own name, and the address at which a browser may use it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from actions.passkeys import Desk


@pytest.mark.parametrize(
    ("public", "scheme", "host", "desk"),
    [
        ("https://desk.example", "https", "desk.example", Desk("desk.example", "https://desk.example")),
        (
            "https://desk.example",
            "http",
            "10.0.0.7:8080",
            Desk("desk.example", "https://desk.example"),
        ),  # a proxy that replaces Host
        ("https://desk.example:8443", "https", "desk.example:8443", Desk("desk.example", "https://desk.example:8443")),
        ("https://desk.example", "https", "evil.example", Desk("desk.example", "https://desk.example")),
        ("http://127.0.0.1:8080", "http", "localhost:8080", Desk("localhost", "http://localhost:8080")),
        ("http://127.0.0.1:8080", "http", "127.0.0.1:8080", None),
        ("http://[::1]:8080", "http", "[::1]:8080", None),
    ],
)
def test_it_is_our_public_name_and_no_number(public, scheme, host, desk):
    assert Desk.at(SimpleNamespace(base_url=public), scheme, host) == desk
