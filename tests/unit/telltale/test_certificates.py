"""A private authority: what it signs is believed for its purpose and no other, and is made anew in time."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.errors import BadInput, Misconfigured
from telltale import certificates

NOW = datetime.now(UTC)


def shake_hands(folder: Path, host: str, *, client: str = "", server: str = "server") -> None:
    """One TLS handshake in memory, the client's side checking the name and, with `client`, the server's side the
    client.
    """
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(folder / f"{server}.crt", folder / f"{server}.key")
    theirs.load_verify_locations(folder / "ca.crt")
    theirs.verify_mode = ssl.CERT_REQUIRED if client else ssl.CERT_NONE
    ours = ssl.create_default_context(cafile=folder / "ca.crt")
    ours.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does by itself
    if client:
        ours.load_cert_chain(folder / f"{client}.crt", folder / f"{client}.key")
    here, there = socket.socketpair()
    failed: list[Exception] = []

    def serve() -> None:
        try:
            with theirs.wrap_socket(there, server_side=True) as wrapped:
                wrapped.sendall(b"x")
        except (OSError, ssl.SSLError) as error:
            failed.append(error)
            there.close()

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        with ours.wrap_socket(here, server_hostname=host) as wrapped:
            if not wrapped.recv(1):
                raise ssl.SSLError("closed")
    finally:
        here.close()
        serving.join()
    if failed:
        raise failed[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    certificates.authority(tmp_path, NOW)
    certificates.server(tmp_path, ["broker.example", "127.0.0.1"], NOW)
    return tmp_path


def test_each_of_its_hosts_is_believed_and_no_other(folder: Path) -> None:
    shake_hands(folder, "broker.example")
    shake_hands(folder, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(folder, "other.example")


def test_a_clients_certificate_opens_the_door_and_cannot_play_the_broker(folder: Path) -> None:
    certificates.client(folder, "WVWZZZ1KZAW000123", NOW)
    shake_hands(folder, "broker.example", client="WVWZZZ1KZAW000123")
    with pytest.raises(ssl.SSLError):
        shake_hands(folder, "broker.example", client="server")
    with pytest.raises(ssl.SSLError):
        shake_hands(folder, "broker.example", server="WVWZZZ1KZAW000123")


def test_keys_are_their_owners_alone(folder: Path) -> None:
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.glob("*.key")} == {
        "ca.key": 0o600,
        "server.key": 0o600,
    }
    assert sorted(path.name for path in folder.iterdir()) == ["ca.crt", "ca.key", "server.crt", "server.key"]


def test_what_holds_is_left_alone_and_what_ends_or_is_for_other_hosts_is_made_anew(folder: Path) -> None:
    hosts = ["127.0.0.1", "broker.example"]
    assert not certificates.authority(folder, NOW)
    assert not certificates.server(folder, hosts, NOW)
    assert certificates.server(folder, hosts, NOW + certificates.SERVER_FOR - timedelta(days=50))
    assert certificates.server(folder, ["new.example"], NOW)
    shake_hands(folder, "new.example")


@pytest.mark.parametrize("name", ["../x", "ca", "server", "", "a b", "a/b"])
def test_a_name_that_is_no_file_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(BadInput):
        certificates.client(folder, name, NOW)


@pytest.mark.parametrize("host", ["", "a b", "ümlaut", "x" * 300, "-"])
def test_a_host_that_cannot_be_is_refused(folder: Path, host: str) -> None:
    with pytest.raises(BadInput):
        certificates.server(folder, [host], NOW)


def test_without_its_key_nothing_can_be_signed(folder: Path) -> None:
    (folder / "ca.key").unlink()
    with pytest.raises(Misconfigured, match=r"ca\.key"):
        certificates.client(folder, "gateway", NOW)
