"""Where the broker is: one host or several, one user, what a TLS connection trusts and shows."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from gateway.mqtt.address import BrokerAddress, Tls, taken_apart
from schemas.errors import Misconfigured
from tests.authority import Authority


@pytest.mark.parametrize(
    ("url", "user", "password", "hosts"),
    [
        ("mqtt://a", "", "", [("a", 1883)]),
        ("mqtt://u:p@a:1884", "u", "p", [("a", 1884)]),
        ("mqtts://u:p@a", "u", "p", [("a", 8883)]),
        ("mqtt://u:p@a:1883,b:1884,c/", "u", "p", [("a", 1883), ("b", 1884), ("c", 1883)]),
        ("mqtt://u:p@a, b", "u", "p", [("a", 1883), ("b", 1883)]),
        ("mqtt://u:p%40%2C%2F@[::1]:1,[fe80::2]", "u", "p@,/", [("::1", 1), ("fe80::2", 1883)]),
        ("mqtt://u:p,q@a", "u", "p,q", [("a", 1883)]),
    ],
)
def test_hosts_user_and_password_are_read_from_the_address(url, user, password, hosts):
    address = BrokerAddress.from_url(url)
    assert (address.user, address.password, list(address.hosts)) == (user, password, hosts)
    assert (address.tls is not None) == url.startswith("mqtts")


@pytest.mark.parametrize(
    "url",
    [
        "http://a",
        "mqtt://",
        "mqtt://u:p@",
        "mqtt://a:x",
        "mqtt://a:99999",
        "mqtt://a,,b",
        "mqtt://u:p@a,u:p@b",
        "mqtt://[::1",
        "mqtt:a",
    ],
)
def test_an_address_that_cannot_be_is_refused_in_one_line_that_names_the_setting(url):
    with pytest.raises(Misconfigured, match="MQTT_URL: must look like mqtt://") as caught:
        BrokerAddress.from_url(url)
    assert "\n" not in str(caught.value)


def test_what_people_see_of_an_address_has_no_password_in_it():
    address = BrokerAddress.from_url("mqtt://u:hunter2@a,b:1")
    assert str(address) == "a:1883, b:1"


def test_where_sign_ins_are_asked_may_have_several_hosts_too():
    assert taken_apart("nats://d:s@a,b:5", "TELLTALE_AUTH_URL", ("nats", "tls")) == (
        "nats",
        "d",
        "s",
        (("a", 4222), ("b", 5)),
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


def test_a_context_asks_for_tls_1_2_and_the_hosts_name_and_trusts_nobody_else(authority):
    context = Tls(authority.trusted).context()
    assert (
        context.minimum_version == ssl.TLSVersion.TLSv1_2
        and context.check_hostname
        and context.verify_mode == ssl.CERT_REQUIRED
    )
    assert len(context.get_ca_certs()) == 1


def test_files_that_cannot_be_used_are_named_with_their_setting(authority, tmp_path: Path):
    certificate, key = authority.issue("us", common_name="gateway")
    _, another = authority.issue("them", common_name="gateway")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    for tls, named in [
        (Tls(tmp_path / "none.pem"), "TELLTALE_MQTT_CA"),
        (Tls(garbage), "TELLTALE_MQTT_CA"),
        (Tls(authority.trusted, tmp_path / "none.crt", key), "TELLTALE_MQTT_CERT"),
        (Tls(authority.trusted, certificate, tmp_path / "none.key"), "TELLTALE_MQTT_KEY"),
        (Tls(authority.trusted, certificate, another), "TELLTALE_MQTT_CERT"),
        (Tls(authority.trusted, certificate), "TELLTALE_MQTT_CERT"),
        (Tls(authority.trusted, None, key), "TELLTALE_MQTT_KEY"),
    ]:
        with pytest.raises(Misconfigured, match=named) as caught:
            tls.context()
        assert "\n" not in str(caught.value)


def test_a_renewed_certificate_counts_from_the_next_connection_on(authority):
    certificate, key = authority.issue("us", common_name="gateway")
    tls = Tls(authority.trusted, certificate, key)
    before = tls.context()
    assert tls.context() is before
    authority.issue("us", common_name="gateway")
    os.utime(certificate, ns=(1, 1))  # whatever the clock of the file system is worth
    assert tls.context() is not before
