"""Money as people write it: minor units of the currency of a country. Pure."""

from __future__ import annotations

import re

from babel.numbers import format_currency, get_currency_precision, get_territory_currencies

from schemas.errors import BadInput

MOST = 100_000_000  #: minor units: nobody asks an owner for more


def currency_of(country: str) -> str:
    """ISO 4217."""
    return next(iter(get_territory_currencies(country)), "EUR")


def written(amount_minor: int, country: str, language: str) -> str:
    """€189.00, 189,00 €: as the language writes it."""
    currency = currency_of(country)
    return str(format_currency(amount_minor / 10 ** get_currency_precision(currency), currency, locale=language))


def read(text: str, country: str, field: str) -> int:
    """Minor units out of 189, 189.9, 189,90 or 1 189,90; nothing is 0. What could be two amounts is BadInput."""
    plain = re.sub(r"[\s\u00a0\u202f']", "", text)
    if not plain:
        return 0
    places = get_currency_precision(currency_of(country))
    found = re.fullmatch(r"(\d{1,9})(?:[.,](\d{1,3}))?", plain, re.ASCII)
    if found is None or (found[2] and len(found[2]) > places):
        raise BadInput(field, f"{text[:30]!r} is no amount. Write it as in 189.90")
    amount = int(found[1]) * int(10**places) + int((found[2] or "").ljust(places, "0") or 0)
    if amount > MOST:
        raise BadInput(field, "is more than anybody is asked for")
    return amount
