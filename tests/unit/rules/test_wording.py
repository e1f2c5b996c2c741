"""Every text in every language: complete, short enough, and proof against what people type into names."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import smsutil

from rules.catalogue import RULES
from rules.service import sms
from rules.service.wording import FACTS, Wording
from schemas.booking import BookingKind
from schemas.message import MessageKind
from schemas.slot import Window
from schemas.verdict import Severity
from telltale import data

WORDING = Wording(data.texts())
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ZONE = "Europe/Berlin"
LINK = "https://service.autohaus-beispiel.example/o/" + "A" * 43
DEALER = "Autohaus Beispiel & Söhne GmbH & Co. KG Nord-Süd"
WINDOWS = (
    Window(starts_at=NOW + timedelta(days=8, hours=2), ends_at=NOW + timedelta(days=8, hours=3)),
    Window(starts_at=NOW + timedelta(days=10, hours=4), ends_at=NOW + timedelta(days=10, hours=5)),
)
COMPONENTS = ("", "rear_right", "P0301")
RULE_NAMES = sorted(
    {rule.name for rule in RULES}
    | {key.split("-")[1] for key in WORDING.keys("en") if key.startswith("rule-")} - {"call", "unknown"}
)
TITLES = sorted(
    {p.title for p in data.profiles().values()} | {"Mercedes-Benz Sprinter 319 CDI Kastenwagen lang, B-XY 1234"}
)
SHOWN = {
    language: [sms.without_accents(WORDING.window(language, w.starts_at, w.ends_at, ZONE, NOW)) for w in WINDOWS]
    for language in WORDING.languages
}
SAMPLE: dict[str, Any] = {
    "dealer": DEALER,
    "vehicle": TITLES[0],
    "colleague": "Anna Petersen",
    "owner": "Dr. Maximiliane Freifrau von Hohenstein-Übelacker",
    "driver": "Karl-Friedrich",
    "severity": "soon",
    "kind": "pickup",
    "windows": WINDOWS,
    "zone": ZONE,
    "now": NOW,
    "link": LINK,
    "phone": "+49 30 12345678",
    "starts_at": WINDOWS[0].starts_at,
    "ends_at": WINDOWS[0].ends_at,
    "template": "in_work",
    "body": "Thanks",
    "minutes": 60,
    "rule": "tyre_leak",
    "component": "front_left",
    "ready_by": WINDOWS[1].ends_at,
    "address": "Karl-Liebknecht-Allee 123, 10178 Berlin",
    "finding": "new tyre front left, wheels balanced",
    "plate": "B-TT 204",
    "because": "no such number",
    "promised": "collect",
    "due_at": WINDOWS[0].ends_at,
}


@pytest.mark.parametrize("language", WORDING.languages)
def test_every_language_says_everything(language: str) -> None:
    assert WORDING.keys(language) == WORDING.keys("en")
    assert {f"message-{kind.value}" for kind in MessageKind} <= WORDING.keys(language)


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_rule_of_the_catalogue_has_its_words(rule: str) -> None:
    assert f"rule-{rule}" in WORDING.keys("en")


@pytest.mark.parametrize("language", WORDING.languages)
@pytest.mark.parametrize("rule", RULE_NAMES)
def test_an_offer_says_what_it_must_in_two_parts(language: str, rule: str) -> None:
    plain = sms.without_accents
    for title, component, kind in itertools.product(
        (min(TITLES, key=len), max(TITLES, key=len)), COMPONENTS, BookingKind
    ):
        for severity in Severity:
            facts = SAMPLE | {
                "vehicle": title,
                "rule": rule,
                "component": component,
                "severity": severity,
                "kind": kind,
                "more": 2,
            }
            text = WORDING.text(language, MessageKind.OFFER, **facts)
            assert text.parts <= WORDING.most_parts(language), (
                f"{text.parts} parts, {len(text.body)} characters: {text.body}"
            )
            assert len(smsutil.split(text.body).parts) == text.parts
            body = plain(text.body).replace(" = ", "=")
            for part in (
                WORDING.what(language, rule, component, severity),
                WORDING.drive(language, rule, severity, component),
                "0=ل" if language == "ar" else "0=n",
                "STOP=",
                LINK,
            ):
                assert plain(part) in body, f"{part!r} is missing in {text.body}"
            for choice, window in zip("12", SHOWN[language]):
                assert f"{choice}={window}" in body


@pytest.mark.parametrize("language", WORDING.languages)
@pytest.mark.parametrize("kind", [k for k in MessageKind if k is not MessageKind.FREE])
def test_every_text_is_whole_and_affordable(language: str, kind: MessageKind) -> None:
    text = WORDING.text(language, kind, **SAMPLE)
    assert text.parts <= WORDING.most_parts(language) + kind.value.startswith("staff_"), text.body
    assert "none" not in text.body.split()
    assert not re.search(r"[{}$]|  ", text.body)
    least = WORDING.text(language, kind, **{name: SAMPLE[name] for name in FACTS[kind]})
    assert "none" not in re.findall(r"\w+", least.body), least.body
    assert not re.search(r"[{}$]|  | [.,]", least.body), least.body


@pytest.mark.parametrize("kind", [kind for kind in MessageKind if FACTS[kind]])
def test_a_text_without_its_facts_is_not_made(kind: MessageKind) -> None:
    with pytest.raises(TypeError, match=FACTS[kind][0]):
        WORDING.text("en", kind, **{name: SAMPLE[name] for name in FACTS[kind][1:]})


@pytest.mark.parametrize("language", WORDING.languages)
@pytest.mark.parametrize("template", ["arrived", "in_work", "part", "answer", "longer"])
def test_the_waiting_customers_words_differ_by_what_is_true(language: str, template: str) -> None:
    text = WORDING.text(language, MessageKind.WAITING, **(SAMPLE | {"template": template, "now": WINDOWS[1].ends_at}))
    others = {
        WORDING.text(language, MessageKind.WAITING, **(SAMPLE | {"template": t})).body
        for t in ("arrived", "in_work", "part", "answer", "longer")
        if t != template
    }
    assert text.body not in others


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Jo\nSTOP = never\r\n", "Jo STOP = never"),
        ("http://evil.example/x", "evil example/x"),
        ("tel://1", "1"),
        ("Pay at evil.com now", "Pay at evil com now"),
        ("12.5 bar", "12.5 bar"),
        ("St. Georg", "St. Georg"),
        ("a\u202eb\u0000c\u200bd", "abcd"),
        ("{ $link }", "{ $link }"),
        ("www.evil.example", "www evil example"),
    ],
)
def test_what_somebody_typed_is_one_line_without_links(typed: str, shown: str) -> None:
    assert sms.one_line(typed) == shown


def test_a_name_with_fluent_syntax_is_only_a_name() -> None:
    text = WORDING.text("en", MessageKind.STAFF_REPLY, owner='{ $link } = "x"', body="{ *[other] 1 }", link="L")
    assert '{ $link } = "x"' in text.body


@pytest.mark.parametrize(
    ("body", "parts", "alphabet"),
    [
        ("a" * 160, 1, "gsm7"),
        ("a" * 161, 2, "gsm7"),
        ("a" * 306, 2, "gsm7"),
        ("a" * 307, 3, "gsm7"),
        ("€" * 80, 1, "gsm7"),
        ("á" * 70, 1, "ucs2"),
        ("á" * 71, 2, "ucs2"),
        ("á" * 135, 3, "ucs2"),
    ],
)
def test_parts_are_counted_as_the_network_cuts(body: str, parts: int, alphabet: str) -> None:
    result = sms.measure(body)
    assert (result.parts, result.encoding) == (parts, alphabet)


def test_curly_quotes_do_not_double_the_price() -> None:
    assert WORDING.text("en", MessageKind.FREE, body="We’re “ready” – come by…").encoding == "gsm7"


def test_windows_are_on_the_owners_wall() -> None:
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, for the first time this night
    assert WORDING.window("en", start, start + timedelta(hours=1), "Europe/Berlin", start).endswith("02:30-02:30")
    assert WORDING.window("en", NOW, NOW + timedelta(hours=1), "Asia/Kolkata", NOW) == "today 13:30-14:30"
    assert (
        WORDING.window("de", NOW + timedelta(days=1), NOW + timedelta(days=1, hours=1), ZONE, NOW)
        == "morgen 09:00-10:00"
    )
    assert (
        WORDING.window("es", NOW + timedelta(days=3), NOW + timedelta(days=3, hours=1), ZONE, NOW) == "jue 09:00-10:00"
    )
    assert (
        WORDING.window("de", NOW + timedelta(days=9), NOW + timedelta(days=9, hours=1), ZONE, NOW)
        == "Mi 2 Dez 09:00-10:00"
    )


def test_a_text_takes_two_parts_and_more_only_in_a_script_that_the_cheap_alphabet_lacks() -> None:
    assert {language: WORDING.most_parts(language) for language in WORDING.languages} == {
        "ar": 5,
        "de": 2,
        "en": 2,
        "es": 2,
    }


def test_from_right_to_left_names_and_figures_stand_apart_and_the_direction_is_said_first() -> None:
    body = WORDING.text("ar", MessageKind.SAFETY, **SAMPLE).body
    assert body.startswith("\u200f\u2068") and WORDING.right_to_left("ar") and not WORDING.right_to_left("de-AT")
    assert f"\u2066{SAMPLE['phone']}\u2069" in body and f"\u2066{SAMPLE['plate']}\u2069" in body
    offer = WORDING.text("ar", MessageKind.OFFER, **SAMPLE).body
    assert "\u206611:00-12:00\u2069" in offer and f" {LINK} " in f"{offer} "
    for text in (body, offer):
        assert text.count("\u2066") + text.count("\u2068") == text.count("\u2069")
    assert not re.search("[\u2066-\u2069\u200f]", WORDING.text("en", MessageKind.OFFER, **SAMPLE).body)


def test_arabic_says_nothing_in_latin_letters_but_the_words_to_answer_with() -> None:
    latin = re.compile(r"(?<![{$\w-])[a-zA-Z]{3,}")
    for key, pattern in data.texts()["ar"].items():
        said = re.sub(r"\{[^{}]*->|\*?\[\w+\]|\{[^{}]*\}", " ", pattern)
        found = {word for word in latin.findall(said) if word not in ("STOP", "START", "phone", "other", "rtl")}
        assert not found, (key, found)


def test_an_unknown_language_is_english_and_a_regional_one_its_parent() -> None:
    assert WORDING.language("fr") == "en"
    assert WORDING.language("de-AT") == "de"
    assert WORDING.what("xx", "no_such_rule") == WORDING.what("en", "no_such_rule") == "a fault that we should look at"


@pytest.mark.parametrize(
    "language, place", [("en", "Berlin time"), ("de", "Ortszeit Berlin"), ("es", "hora de Berlín")]
)
def test_a_visits_time_is_the_places_and_names_it_where_the_reader_lives_by_another_clock(
    language: str, place: str
) -> None:
    window = Window(starts_at=datetime(2026, 12, 4, 6, 30, tzinfo=UTC), ends_at=datetime(2026, 12, 4, 7, tzinfo=UTC))
    facts = SAMPLE | {
        "dealer": "Nord",
        "vehicle": "Golf",
        "link": "https://n.example/o/A",
        "windows": (window,),
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
        "now": datetime(2026, 12, 4, 1, tzinfo=UTC),
    }
    for kind in (MessageKind.OFFER, MessageKind.BOOKED, MessageKind.REMINDER):
        here, far = (
            WORDING.text(language, kind, **facts, reader_zone=zone).body
            for zone in ("Europe/Paris", "America/New_York")
        )
        today = WORDING.day(language, window.starts_at, ZONE, facts["now"])
        assert f"{today} 07:30-08:00" in here and sms.without_accents(place) not in sms.without_accents(here)
        assert f" 07:30-08:00 ({sms.without_accents(place)})" in sms.without_accents(far) and f"{today} " not in far, (
            "in New York it is yesterday still"
        )
        waiting = WORDING.text(language, MessageKind.WAITING, **facts, reader_zone="America/New_York").body
        assert sms.without_accents(place) in sms.without_accents(waiting)


@pytest.mark.parametrize("language", WORDING.languages)
def test_an_offer_fits_in_two_parts_where_its_place_is_named(language: str) -> None:
    for rule, kind, severity in itertools.product(RULE_NAMES, BookingKind, Severity):
        facts = SAMPLE | {
            "vehicle": max(TITLES, key=len),
            "rule": rule,
            "severity": severity,
            "kind": kind,
            "more": 2,
            "reader_zone": "America/New_York",
        }
        assert WORDING.text(language, MessageKind.OFFER, **facts).parts <= WORDING.most_parts(language)


@pytest.mark.parametrize("language", sorted(data.texts()))
def test_an_offer_by_mail_asks_for_what_works_by_mail(language: str) -> None:
    text = WORDING.text(language, MessageKind.OFFER, **(SAMPLE | {"channel": "email"})).body
    assert LINK in text and "STOP" not in text and "1 =" not in text and "1=" not in text and "Ziffer" not in text
    assert "STOP" in WORDING.text(language, MessageKind.OFFER, **SAMPLE).body


@pytest.mark.parametrize(
    "kind",
    [
        MessageKind.OFFER,
        MessageKind.BOOKED,
        MessageKind.REMINDER,
        MessageKind.CANCELLED,
        MessageKind.MOVED,
        MessageKind.ALL_CLEAR,
    ],
)
def test_who_has_several_cars_reads_which_one_is_meant(kind: MessageKind) -> None:
    text = WORDING.text("de", kind, **(SAMPLE | {"vehicle": max(TITLES, key=len), "which": "HH-SL 42"}))
    assert "(HH-SL 42)" in text.body and text.parts <= 2
