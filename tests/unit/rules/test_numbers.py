"""Numbers as people write them, 200 spellings in each of five countries: read right, or refused with a word; never a
stranger's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import phonenumbers
import pytest

from rules.service.numbers import e164, textable
from schemas.errors import BadInput

#: Country, calling code, how abroad is dialled, the trunk digit, and a mobile's and a landline's national digits in
#: groups.
PLACES = {
    "DE": ("49", "00", "0", ("176", "040", "690", "10"), ("40", "669", "691", "00")),
    "US": ("1", "011", "", ("202", "555", "0143"), ("415", "555", "0132")),
    "ES": ("34", "00", "", ("612", "34", "56", "78"), ("912", "34", "56", "78")),
    "GB": ("44", "00", "0", ("7400", "123", "456"), ("20", "7946", "0018")),
    "FR": ("33", "00", "0", ("6", "12", "34", "56", "78"), ("1", "53", "70", "12", "34")),
}
BETWEEN = ("", " ", "-", ".", "/", "\u00a0", "\u2009", "–", " - ", "  ")
AROUND = ("{}", " {} ", "'{}", "\u202a{}\u202c", "tel:{}")


def right(country: str) -> Iterator[tuple[str, str]]:
    """Spellings that must be read, and as what: both numbers, with plus or trunk, with everything between and
    around.
    """
    code, _, trunk, *numbers = PLACES[country]
    for groups, between, around in itertools.product(numbers, BETWEEN, AROUND):
        wanted = f"+{code}{''.join(groups)}"
        yield around.format(f"+{code}{between}{between.join(groups)}"), wanted
        yield around.format(trunk + between.join(groups)), wanted


def doubtful(country: str) -> Iterator[tuple[str, str]]:
    """Read right or refused: a plus or a nought that is lost, brackets, other scripts, what a spreadsheet makes of
    it.
    """
    code, abroad, trunk, *numbers = PLACES[country]
    for groups in numbers:
        digits, wanted = "".join(groups), f"+{code}{''.join(groups)}"
        for text in (
            code + digits,
            digits,
            abroad + code + digits,
            f"+{code} (0){digits}",
            f"+{code}(0) {digits}",
            f"({trunk}{groups[0]}) {''.join(groups[1:])}",
            f"{code}{digits}.0",
            f"{trunk}{digits}".translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
            f"{trunk}{digits}".translate(str.maketrans("0123456789", "０１２３４５６７８９")),
            f"＋{code}{digits}",
        ):
            yield text, wanted


def wrong(country: str) -> Iterator[str]:
    """What must be refused: letters, extensions, two numbers, dear numbers, halves and what a spreadsheet has
    shortened.
    """
    code, _, trunk, mobile, landline = PLACES[country]
    for groups, other in ((mobile, landline), (landline, mobile)):
        whole, second = trunk + "".join(groups), trunk + "".join(other)
        yield from (
            f"{whole[:-1]}O",
            f"{whole[:-1]}l",
            f"{whole} (home)",
            f"Anna {whole}",
            f"{whole} Anna",
            f"{whole}x12",
            f"{whole} ext. 12",
            f"{whole} ext 7",
            f"{whole} Dw. 7",
        )
        yield from (
            f"{whole} Durchwahl 7",
            f"{whole}#12",
            f"{whole};ext=5",
            f"{whole} poste 4",
            f"{whole} anexo 3",
            f"+{code}{whole.removeprefix(trunk)} extension 12",
            f"{whole}*1",
        )
        yield from (
            f"{whole} / {second}",
            f"{whole}/{second}",
            f"{whole}, {second}",
            f"{whole}; {second}",
            f"{whole} or {second}",
            f"{whole} oder {second}",
            f"{whole}\n{second}",
        )
        yield from (
            f"{whole} {second}",
            f"{whole} y {second}",
            f"{whole}|{second}",
            f"{whole}/01",
            f"{whole} & {second}",
            f"+{code}{whole.removeprefix(trunk)} +{code}{second.removeprefix(trunk)}",
        )
        yield from (
            whole[:5],
            whole[:3],
            whole + "000000",
            f"+{code}",
            f"+{whole[:4]}",
            "4.9176E+12",
            "4,9176E+12",
            "?",
            "-",
            "none",
            "unknown",
            f"+999{whole}",
            "112",
            f"++{whole}",
        )


DEAR = {
    "DE": ("0900 5123456", "0180 5123456"),
    "US": ("900 234 5678", "1-800-555-0199"),
    "ES": ("803 123 456", "806123456"),
    "GB": ("0909 879 0123", "070 1234 5678"),
    "FR": ("0899 12 34 56",),
}


def test_there_are_two_hundred_spellings_of_each_country() -> None:
    for country in PLACES:
        assert len({text for text, _ in (*right(country), *doubtful(country))} | {*wrong(country)}) >= 200


@pytest.mark.parametrize("country", PLACES)
def test_a_number_is_read_as_what_it_is(country: str) -> None:
    missed = [(text, wanted) for text, wanted in right(country) if _read(text, country) != wanted]
    assert missed == []


@pytest.mark.parametrize("country", PLACES)
def test_what_can_be_doubted_is_read_right_or_refused(country: str) -> None:
    assert [
        (text, found) for text, wanted in doubtful(country) if (found := _read(text, country)) not in (wanted, None)
    ] == []


@pytest.mark.parametrize("country", PLACES)
def test_what_is_no_number_or_more_than_one_is_refused(country: str) -> None:
    assert [
        (text, found) for text in (*wrong(country), *DEAR[country]) if (found := _read(text, country)) is not None
    ] == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("4917604069010", "+4917604069010"),
        ("040 66969101", "+494066969101"),
        ("0176-040 690 11 (Frau)", None),
        ("+49 176 0406901O", None),
        ("040 66969100 ext. 12", None),
        ("+49 40 66969100 Dw. 7", None),
        ("0900 5123456", None),
        ("436641234567", None),
        ("0170 123", None),
    ],
)
def test_the_spellings_that_went_wrong(text: str, wanted: str | None) -> None:
    assert _read(text, "DE") == wanted


def test_a_refusal_names_the_cell_and_says_why() -> None:
    with pytest.raises(BadInput, match="has an extension") as refused:
        e164("040 66969100 ext. 12", "DE")
    assert refused.value.field == "phone"


def test_a_landline_is_kept_and_takes_no_texts() -> None:
    assert [textable(number) for number in ("+494066969101", "+4917604069010", "+12025550143", "nothing")] == [
        False,
        True,
        True,
        False,
    ]


def _read(text: str, country: str) -> str | None:
    try:
        found = e164(text, country)
    except BadInput:
        return None
    assert phonenumbers.is_valid_number(phonenumbers.parse(found))
    return found
