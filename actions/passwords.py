"""Passwords: what is too weak, and argon2id for the rest, in a thread, because both take their time on purpose."""

from __future__ import annotations

import asyncio
import re
import secrets as randomness
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from schemas.errors import BadInput

_HASHER = PasswordHasher()
LEAST, MOST = 10, 200
_STRONG = 3  #: zxcvbn's measure from 0 to 4: more than 10^8 guesses
_JUDGED = 72  #: characters that zxcvbn looks at
#: Words that somebody who guesses at a dealer tries first, and that no English list has.
_TRADE = (
    "telltale",
    "autohaus",
    "werkstatt",
    "passwort",
    "kennwort",
    "willkommen",
    "geheim",
    "sommer",
    "winter",
    "herbst",
    "frühling",
    "fruehling",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "taller",
    "contraseña",
    "contrasena",
    "bienvenido",
    "verano",
    "invierno",
    "otoño",
    "primavera",
    "coche",
    "concesionario",
    "dealer",
    "workshop",
    "garage",
)


async def hashed(password: str, about: Iterable[str] = ()) -> str:
    """What is stored of a password; BadInput when it is too short, too long, or too easy for somebody who knows what it
    is `about`.
    """
    if not LEAST <= len(password) <= MOST:
        raise BadInput("password", f"takes {LEAST} to {MOST} characters")
    why = await asyncio.to_thread(weakness, password, tuple(about))
    if why is not None:
        raise BadInput("password", why)
    return await asyncio.to_thread(_HASHER.hash, password)


async def right(hashed: str | None, password: str) -> bool:
    """Whether it is the one; takes as long for an address that nobody signs in with."""
    return await asyncio.to_thread(_verify, hashed, password)


def weakness(password: str, about: Iterable[str] = ()) -> str | None:
    """Why somebody would guess it, or None: the most common passwords and words, keyboards, dates, and what one knows
    of the person.
    """
    from zxcvbn import zxcvbn  # its lists take a fifth of a second to load, and only who chooses a password needs them

    known = [
        word.lower()
        for text in about
        for word in (
            text,
            re.sub(r"[\W_]+", "", text),
            re.sub(r"\W+", "", text.partition("@")[0]),
            *re.split(r"[\W_]+", text),
        )
        if len(word) > 2
    ]
    found = zxcvbn(password[:_JUDGED], user_inputs=[*known, *_TRADE])
    if found["score"] >= _STRONG:
        return None
    warning = found["feedback"]["warning"] or "it is too easy to guess"
    return f"{warning[:1].lower()}{warning[1:].rstrip('.')}. Take several words that have nothing to do with each other"


def _verify(hashed: str | None, password: str) -> bool:
    try:
        _HASHER.verify(hashed or _nobody(), password)
        return hashed is not None
    except (Argon2Error, ValueError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash(randomness.token_hex(16))
