"""Passkeys (WebAuthn): a phone, a laptop or a key on a ring proves that it is there, and by finger, face or PIN whose
it is.

With a passkey somebody signs in without a password: having it and unlocking it are two factors. After a password it is
the second one. A challenge is signed, lives five minutes and counts once; nothing of it is stored before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets as randomness
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import structlog

from actions import attempts, second_factor, sign_in
from actions.context import House
from actions.sign_in import Entered
from actions.visitor import Visitor
from schemas.account import Staff
from schemas.errors import BadInput, NotAllowed, NotFound
from store import accounts, second_factors
from store import attempts as counted
from store.second_factors import Passkey

log = structlog.get_logger()
MOST = 20  #: of one person
_LIFE = timedelta(minutes=5)
_REFUSED = "That passkey is not one that we know, or it took too long. Try again, or use your password."


@dataclass(frozen=True, slots=True)
class Desk:
    """What a passkey belongs to: the desk's name (`id`), and the address at which a browser may use it."""

    id: str
    origin: str

    @classmethod
    def at(cls, house: House, scheme: str, host: str) -> Desk | None:
        """Our public address; on one's own machine `localhost`, with its port.

        None where the desk has a number for a name.
        """
        public = urlsplit(house.base_url)
        name, port = public.hostname or "", urlsplit(f"//{host}").port
        if (urlsplit(f"//{host}").hostname or "") == "localhost":
            return cls("localhost", f"{scheme}://localhost{f':{port}' if port else ''}")
        try:
            ip_address(name)
        except ValueError:
            return cls(name, f"{public.scheme}://{public.netloc}") if name else None
        return None


async def begin_adding(house: House, desk: Desk, person: Staff, visitor: Visitor, password: str) -> dict[str, Any]:
    """What the browser needs to make one. The password is asked for: an open browser is not enough."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    await second_factor.confirm_password(house, person, visitor, password)
    async with house.at(person.dealer_id) as connection:
        known = await second_factors.passkeys_of(connection, person.dealer_id, person.id)
    if len(known) >= MOST:
        raise BadInput("passkey", f"{MOST} are the most: remove one first")
    options = webauthn.generate_registration_options(
        rp_id=desk.id,
        rp_name="Telltale",
        user_name=person.email,
        user_display_name=person.name,
        user_id=_handle(house, person),
        challenge=_challenge(),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.id) for one in known],
    )
    return _told(house, options, f"add {person.id}")


async def add(
    house: House, desk: Desk, person: Staff, session_id: str, credential: dict[str, Any], label: str
) -> list[str]:
    """The browser's answer. Recovery codes come back when this is the first second factor."""
    import webauthn

    challenge = await _spent(house, credential, f"add {person.id}")
    try:
        made = webauthn.verify_registration_response(
            credential=credential["credential"],
            expected_challenge=challenge,
            expected_rp_id=desk.id,
            expected_origin=desk.origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library's own errors, and whatever its parsers make of bytes that somebody sent
        log.info("passkey_refused", because=type(error).__name__)
        raise BadInput("passkey", "could not be added: the browser's answer does not fit. Try again") from None
    async with house.at(person.dealer_id) as connection:
        fresh = await second_factors.add_passkey(
            connection,
            person.dealer_id,
            person.id,
            passkey=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            label=label,
            now=house.machine(),
        )
        if not fresh:
            raise BadInput("passkey", "is known already")
        return await second_factor.added(
            house, connection, person=person, session_id=session_id, what="passkey added", reason=label
        )


async def remove(house: House, person: Staff, passkey: bytes) -> str:
    """It opens nothing any more; its label."""
    async with house.at(person.dealer_id) as connection:
        label = await second_factors.remove_passkey(connection, person.dealer_id, person.id, passkey)
        if label is None:
            raise NotFound("passkey")
        await second_factor.removed(house, connection, person=person, what="passkey removed", reason=label)
        return label


async def of(house: House, person: Staff) -> list[Passkey]:
    """Theirs, the oldest first."""
    async with house.at(person.dealer_id) as connection:
        return await second_factors.passkeys_of(connection, person.dealer_id, person.id)


async def ask(house: House, desk: Desk, person: Staff | None = None) -> dict[str, Any]:
    """What the browser needs to use one: any that it has for this desk, or as the second factor of this person, one of
    theirs.
    """
    import webauthn
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

    known = await of(house, person) if person is not None else []
    options = webauthn.generate_authentication_options(
        rp_id=desk.id,
        challenge=_challenge(),
        allow_credentials=[PublicKeyCredentialDescriptor(id=one.id) for one in known] or None,
        user_verification=UserVerificationRequirement.PREFERRED if person else UserVerificationRequirement.REQUIRED,
    )
    return _told(house, options, f"use {person.id if person else 'any'}")


async def with_passkey(house: House, desk: Desk, visitor: Visitor, credential: dict[str, Any]) -> Entered:
    """Signed in without a password."""
    await attempts.take(house, limits := attempts.token(house, visitor))
    person = await _used(house, desk, credential, None)
    await attempts.give_back(house, limits)
    return await sign_in.enter(house, person, visitor, "passkey", two=True)


async def as_second_factor(
    house: House, desk: Desk, visitor: Visitor, cookie: str, credential: dict[str, Any]
) -> Entered:
    """After the password. NotFound when nobody waits in this browser."""
    found = await sign_in.waiting(house, cookie)
    if found is None:
        raise NotFound("session")
    person, session = found
    await attempts.take(house, limits := attempts.second_factor(house, person.id, visitor))
    await _used(house, desk, credential, person)
    await attempts.give_back(house, limits)
    return await sign_in.complete(house, person, visitor=visitor, waited=session, proof="passkey")


async def _used(house: House, desk: Desk, credential: dict[str, Any], expected: Staff | None) -> Staff:
    """Whose passkey signed our challenge. NotAllowed says no more than that it was none of ours."""
    import webauthn

    challenge = await _spent(house, credential, f"use {expected.id if expected else 'any'}")
    try:
        named = webauthn.base64url_to_bytes(str(credential["credential"]["id"]))
    except (ValueError, KeyError, TypeError):
        raise NotAllowed(_REFUSED, signed_in=False) from None
    async with house.at(None) as connection:
        owner = await second_factors.owner_of_passkey(connection, named)
    if owner is None or (expected is not None and owner != (expected.dealer_id, expected.id)):
        raise NotAllowed(_REFUSED, signed_in=False)
    async with house.at(owner[0]) as connection:
        person = await accounts.staff(connection, *owner)
        passkey = next(one for one in await second_factors.passkeys_of(connection, *owner) if one.id == named)
    try:
        proof = webauthn.verify_authentication_response(
            credential=credential["credential"],
            expected_challenge=challenge,
            expected_rp_id=desk.id,
            expected_origin=desk.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=expected is None,
        )
    except Exception as error:  # as above
        log.info("passkey_refused", because=type(error).__name__)
        raise NotAllowed(_REFUSED, signed_in=False) from None
    async with house.at(owner[0]) as connection:
        if person.disabled_at is not None or not await second_factors.use_passkey(
            connection, passkey, proof.new_sign_count, house.machine()
        ):
            raise NotAllowed(_REFUSED, signed_in=False)
    return person


def _handle(house: House, person: Staff) -> bytes:
    """How an authenticator calls the person: the same each time, and nothing that says who it is."""
    return hmac.new(house.secret.encode(), f"passkeys of {person.id}".encode(), hashlib.sha256).digest()


def _challenge() -> bytes:
    return randomness.token_bytes(32)


def _told(house: House, options: Any, purpose: str) -> dict[str, Any]:
    """Options as JSON, and the seal under which the challenge comes back."""
    import webauthn

    ends = int((house.machine() + _LIFE).timestamp())
    challenge = base64.urlsafe_b64encode(options.challenge).decode()
    return {
        "options": json.loads(webauthn.options_to_json(options)),
        "seal": f"{challenge}.{ends}.{house.sign('challenge', challenge, str(ends), purpose)}",
    }


async def _spent(house: House, credential: dict[str, Any], purpose: str) -> bytes:
    """The challenge of a seal that is ours, for this purpose and not over; it counts once, for all desks together."""
    challenge, _, rest = str(credential.get("seal", "")).partition(".")
    ends, _, mac = rest.partition(".")
    if not hmac.compare_digest(
        mac.encode("utf-8", "replace"), house.sign("challenge", challenge, ends, purpose).encode()
    ):
        raise NotAllowed(_REFUSED, signed_in=False)
    if house.machine() >= datetime.fromtimestamp(int(ends), house.machine().tzinfo):
        raise NotAllowed(_REFUSED, signed_in=False)
    once = counted.Limit(hashlib.sha256(f"challenge {challenge}".encode()).digest(), 1, _LIFE)
    async with house.alone().at(None) as connection:
        if await counted.count(connection, [once], house.machine()) is not None:
            raise NotAllowed(_REFUSED, signed_in=False)
    return base64.urlsafe_b64decode(challenge)
