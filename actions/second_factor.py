"""A second factor: codes of an authenticator app, and recovery codes for the day on which the phone is gone.

Machine time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as randomness

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from actions import attempts, passwords
from actions.context import Acting, House
from actions.visitor import Visitor
from schemas.account import Staff
from schemas.errors import BadInput, NotFound
from store import accounts, history, second_factors, sessions
from store.pool import Connection
from store.second_factors import Standing

CODES = 10
_STEP_S = 30
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  #: none that is taken for another when it is written down
ISSUER = "Telltale"


async def standing(house: House, person: Staff) -> Standing:
    """What they have beside a password."""
    async with house.at(person.dealer_id) as connection:
        return await second_factors.standing(connection, person.dealer_id, person.id)


async def confirm_password(house: House, person: Staff, visitor: Visitor, password: str) -> None:
    """Whoever finds an open browser must not change how its owner signs in.

    BadInput when it is wrong, TooOften when it was too often.
    """
    async with house.at(None) as connection:
        found = await accounts.sign_in_of(connection, person.email)
    limits = attempts.second_factor(house, person.id, visitor)
    await attempts.take(house, limits)
    if found is None or not await passwords.right(found.password_hash, password):
        raise BadInput("current_password", "that is not your password")
    await attempts.give_back(house, limits)


async def begin_authenticator(house: House, person: Staff) -> tuple[str, str]:
    """A new secret that waits for its first code: as base32 to type, and as the address in a QR code."""
    import pyotp

    secret = pyotp.random_base32()
    async with house.at(person.dealer_id) as connection:
        if (await second_factors.standing(connection, person.dealer_id, person.id)).authenticator:
            raise BadInput("authenticator", "you have one already: remove it first")
        await second_factors.put_authenticator(
            connection,
            person.dealer_id,
            staff_id=person.id,
            sealed=_box(house).encrypt(secret.encode()),
            now=house.machine(),
        )
    return secret, pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name=ISSUER)


async def waiting_authenticator(house: House, person: Staff) -> tuple[str, str]:
    """The secret that waits for its first code; NotFound when none does."""
    import pyotp

    async with house.at(person.dealer_id) as connection:
        found = await second_factors.authenticator(connection, person.dealer_id, person.id)
    secret = _opened(house, found[0]) if found is not None and not found[1] else None
    if secret is None:
        raise NotFound("authenticator")
    return secret, pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name=ISSUER)


async def confirm_authenticator(house: House, person: Staff, visitor: Visitor, session_id: str, code: str) -> list[str]:
    """The first code is right: from now on one is asked for.

    Recovery codes come back, once; sessions that came in by less end.
    """
    limits = attempts.second_factor(house, person.id, visitor)
    await attempts.take(house, limits)
    async with house.at(person.dealer_id) as connection:
        if not await _code_is_right(house, connection, person, code, confirmed=False):
            raise BadInput("code", "that is not the code that the app shows now")
        await attempts.give_back(house.within(connection), limits)
        return await added(
            house, connection, person=person, session_id=session_id, what="authenticator added", reason="an app's codes"
        )


async def added(
    house: House, connection: Connection, person: Staff, session_id: str, what: str, reason: str
) -> list[str]:
    """After any new factor: this session has proved it, all others end.

    The first factor brings recovery codes; later ones none.
    """
    await sessions.prove(connection, person.dealer_id, session_id)
    await sessions.end(connection, person.dealer_id, person.id, but=session_id)
    await _note(house, connection, person=person, new=what, reason=reason)
    if (await second_factors.standing(connection, person.dealer_id, person.id)).codes:
        return []
    return await _new_codes(connection, person)


async def new_recovery_codes(house: House, person: Staff) -> list[str]:
    """Ten others; the earlier ones open nothing any more."""
    async with house.at(person.dealer_id) as connection:
        if not (await second_factors.standing(connection, person.dealer_id, person.id)).any:
            raise BadInput("codes", "recovery codes stand in for an authenticator or a passkey: add one first")
        await _note(house, connection, person=person, new="recovery codes made", reason=f"{CODES} new ones")
        return await _new_codes(connection, person)


async def remove_authenticator(house: House, person: Staff) -> None:
    """Codes are asked for no more, unless the dealer asks for a second factor and this was the last."""
    async with house.at(person.dealer_id) as connection:
        if not await second_factors.remove_authenticator(connection, person.dealer_id, person.id):
            raise NotFound("authenticator")
        await removed(house, connection, person=person, what="authenticator removed", reason="an app's codes")


async def removed(house: House, connection: Connection, person: Staff, what: str, reason: str) -> None:
    """After any factor went: the last one cannot go where the dealer asks for one, and takes the recovery codes
    along.
    """
    left = await second_factors.standing(connection, person.dealer_id, person.id)
    if not left.any:
        dealer = await accounts.dealer(connection, person.dealer_id)
        if dealer.asks_second_factor(person.role):
            raise BadInput("second_factor", f"{dealer.name} asks for a second factor: add another one first")
        await second_factors.set_codes(connection, person.dealer_id, person.id, [])
    await _note(house, connection, person=person, new=what, reason=reason)


async def forget(acting: Acting, staff_id: int) -> Staff:
    """A colleague lost what they had: a manager takes it away, and they are signed out.

    They come in by password and set up anew.
    """
    async with acting.transaction() as connection:
        person = await accounts.staff(connection, acting.dealer_id, staff_id)
        if acting.actor == f"staff:{staff_id}":
            raise BadInput("staff", "your own you remove under Your security")
        if not await second_factors.forget(connection, acting.dealer_id, staff_id):
            raise BadInput("staff", f"{person.name} has no second factor")
        await accounts.end_sessions(connection, acting.dealer_id, staff_id)
        await history.write(
            connection,
            acting.dealer_id,
            "staff",
            staff_id,
            old=None,
            new="second factor taken away",
            reason="by a manager",
            actor=acting.actor,
            now=acting.now(),
        )
        return person


async def proved(house: House, person: Staff, visitor: Visitor, code: str) -> str:
    """By what they proved themselves at sign-in: `code` or `recovery code`. BadInput when it is neither."""
    limits = attempts.second_factor(house, person.id, visitor)
    await attempts.take(house, limits)
    tidy = "".join(letter for letter in code.lower() if letter.isalnum())
    async with house.at(person.dealer_id) as connection:
        if await _code_is_right(house, connection, person, tidy, confirmed=True):
            found = "code"
        elif len(tidy) == 16 and await second_factors.use_code(connection, person.dealer_id, person.id, tidy):
            left = (await second_factors.standing(connection, person.dealer_id, person.id)).codes
            await _note(house, connection, person=person, new="recovery code used", reason=f"{left} left")
            found = "recovery code"
        else:
            found = ""
    if not found:
        house.afterwards.soon(_refused(house, person, visitor))
        raise BadInput("code", "that is not the code that the app shows now, and no recovery code")
    await attempts.give_back(house, limits)
    return found


async def _code_is_right(house: House, connection: Connection, person: Staff, code: str, *, confirmed: bool) -> bool:
    """Of this half minute, the one before and the one after, as clocks go; each code is taken once."""
    import pyotp

    found = await second_factors.authenticator(connection, person.dealer_id, person.id)
    secret = _opened(house, found[0]) if found is not None and found[1] is confirmed else None
    if secret is None:
        return False
    now = house.machine()
    step = int(now.timestamp()) // _STEP_S
    for one in (step - 1, step, step + 1):
        if hmac.compare_digest(
            pyotp.TOTP(secret).at(one * _STEP_S).encode(), "".join(code.split()).encode("utf-8", "replace")
        ):
            return await second_factors.use_step(connection, person.dealer_id, staff_id=person.id, step=one, now=now)
    return False


async def _new_codes(connection: Connection, person: Staff) -> list[str]:
    codes = ["".join(randomness.choice(_LETTERS) for _ in range(16)) for _ in range(CODES)]
    await second_factors.set_codes(connection, person.dealer_id, person.id, codes)
    return ["-".join(code[n : n + 4] for n in range(0, 16, 4)) for code in codes]


async def _note(house: House, connection: Connection, person: Staff, new: str, reason: str) -> None:
    await history.write(
        connection,
        person.dealer_id,
        "staff",
        person.id,
        old=None,
        new=new,
        reason=reason,
        actor=f"staff:{person.id}",
        now=house.now(),
    )


async def _refused(house: House, person: Staff, visitor: Visitor) -> None:
    async with house.at(person.dealer_id) as connection:
        await history.write(
            connection,
            person.dealer_id,
            "staff",
            person.id,
            old=None,
            new="refused",
            reason=f"wrong code after the right password, {visitor.told}",
            actor="somebody",
            now=house.now(),
        )


def _box(house: House) -> SecretBox:
    return SecretBox(hmac.new(house.secret.encode(), b"authenticators", hashlib.sha256).digest())


def _opened(house: House, sealed: bytes) -> str | None:
    """None after the house's secret was changed: then a recovery code, a passkey or a manager helps."""
    try:
        return _box(house).decrypt(sealed).decode()
    except CryptoError:
        return None


def qr_code(uri: str) -> str:
    """The address as a drawing (SVG) that an app reads from the screen."""
    import segno

    return str(
        segno.make(uri, error="m").svg_inline(
            scale=5, border=2, dark="#10222b", light="#ffffff", svgclass="qr", lineclass=None, omitsize=True
        )
    )
