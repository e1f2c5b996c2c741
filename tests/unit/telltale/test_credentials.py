"""Passwords that follow from the one secret, put into addresses."""

from __future__ import annotations

from gateway.mqtt.address import BrokerAddress, taken_apart
from telltale.embedded.credentials import broker_secrets, signed_in


def test_an_address_of_several_hosts_is_signed_in_once_for_all_of_them():
    known = broker_secrets("s")
    address = BrokerAddress.from_url(signed_in("mqtt://a:1883,b:1884", "gateway", "s"))
    assert (address.user, address.password, address.hosts) == ("gateway", known["gateway"], (("a", 1883), ("b", 1884)))
    auth = taken_apart(signed_in("nats://a,b", "doorkeeper", "s"), "TELLTALE_AUTH_URL", ("nats", "tls"))
    assert auth == ("nats", "doorkeeper", known["doorkeeper"], (("a", 4222), ("b", 4222)))
    assert signed_in("mqtt://me:mine@a,b", "gateway", "s") == "mqtt://me:mine@a,b"
