"""A small certificate authority for a broker of one's own: its certificate, the broker's, and one for each client that
must show one.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from schemas.errors import BadInput, Misconfigured

AUTHORITY_FOR, SERVER_FOR, CLIENT_FOR = timedelta(days=3650), timedelta(days=730), timedelta(days=1825)
RENEW_BEFORE = timedelta(days=60)
_LABEL = re.compile(r"(\*|[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)")
_EARLIER = timedelta(days=1)  # clocks of cars differ


def authority(folder: Path, now: datetime) -> bool:
    """`ca.crt` and `ca.key`, made once. Whether they were made now."""
    if (folder / "ca.crt").exists():
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Telltale private CA")
    made = (
        _builder(name, name, key=key, now=now, lasting=AUTHORITY_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _keep(folder, "ca", made, key)
    return True


def server(folder: Path, hosts: Sequence[str], now: datetime) -> bool:
    """`server.crt` and `server.key` for these names and addresses; made anew when others are asked for or it ends
    soon.
    """
    names = sorted(set(hosts))
    if _holds(folder / "server.crt", names, now):
        return False
    alternatives = x509.SubjectAlternativeName([_host(name) for name in names])
    _issue(
        folder,
        "server",
        common_name=names[0][:64],
        now=now,
        lasting=SERVER_FOR,
        purpose=ExtendedKeyUsageOID.SERVER_AUTH,
        alternatives=alternatives,
    )
    return True


def client(folder: Path, name: str, now: datetime) -> Path:
    """`NAME.crt` and `NAME.key` for a car (its VIN) or a gateway; always anew. The path without its suffix."""
    if not name.replace("-", "").isalnum() or name in ("ca", "server"):
        raise BadInput(
            "NAME", f"{name} cannot be a file's name: letters, digits and hyphens, and neither ca nor server"
        )
    _issue(
        folder,
        name,
        common_name=name,
        now=now,
        lasting=CLIENT_FOR,
        purpose=ExtendedKeyUsageOID.CLIENT_AUTH,
        alternatives=None,
    )
    return folder / name


def _issue(
    folder: Path,
    stem: str,
    common_name: str,
    now: datetime,
    lasting: timedelta,
    purpose: x509.ObjectIdentifier,
    alternatives: x509.SubjectAlternativeName | None,
) -> None:
    issuer, signer = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(common_name), issuer.subject, key=key, now=now, lasting=lasting)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    _keep(folder, stem, builder.sign(signer, hashes.SHA256()), key)


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        issuer = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(
            str(folder / "ca.key"), f"cannot be read ({type(error).__name__}): `telltale certificates make` makes it"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Misconfigured(str(folder / "ca.key"), "is not of `telltale certificates make`")
    return issuer, key


def _holds(path: Path, names: Sequence[str], now: datetime) -> bool:
    """Whether this certificate is for exactly these names and lasts for a while."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        wanted = x509.SubjectAlternativeName([_host(name) for name in names])
        return (
            found.not_valid_after_utc > now + RENEW_BEFORE
            and found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == wanted
        )
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise BadInput("--host", f"{name[:80]} is neither a name nor an address")
    return x509.DNSName(name)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lasting: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(
            subject_name=subject,
            issuer_name=issuer,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
        )
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + lasting)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _keep(folder: Path, stem: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """The key first, readable for its owner alone: a certificate without its key would be of no use."""
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, content, mode in (
        (f"{stem}.key", plain, 0o600),
        (f"{stem}.crt", certificate.public_bytes(serialization.Encoding.PEM), 0o644),
    ):
        half = folder / f".{name}.new"
        half.unlink(missing_ok=True)
        half.touch(mode=mode)
        half.write_bytes(content)
        os.replace(half, folder / name)
