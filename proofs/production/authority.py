"""A certificate authority of one's own, as a small dealer would have: everything between our parts is signed by it."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_BEFORE, _AFTER = timedelta(days=5), timedelta(days=30)  # proofs step clocks by days


class Authority:
    """`trusted` is what clients believe in; `issue` makes a certificate and its key."""

    def __init__(self, home: Path, name: str = "Telltale rehearsal") -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.trusted = home / "ca.pem"
        self._begin(name)

    def _begin(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._own = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(*(i in (5, 6) for i in range(9))), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.trusted.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def succeed(self, name: str) -> None:
        """A new authority; for now the old one is believed as well."""
        before = self.trusted.read_bytes()
        self._begin(name)
        with self.trusted.open("ab") as pem:
            pem.write(before)

    def retire(self) -> None:
        """The old one is believed no longer."""
        self.trusted.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def issue(self, file: str, *, common_name: str, days: float | None = None) -> tuple[Path, Path]:
        """Certificate and key below `home` as `file`.crt and `file`.key; each time a new pair. Good for server and client."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = (
            self._builder(subject, key, timedelta(days=days) if days else _AFTER)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(uses, critical=False)
            .add_extension(names, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        certificate, private = self.home / f"{file}.crt", self.home / f"{file}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.touch(mode=0o600)
        private.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return certificate, private

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta = _AFTER) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BEFORE)
            .not_valid_after(now + lasts)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
