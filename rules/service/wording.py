"""Words for owners, staff and pages, in their language. The words are data (Fluent patterns in `rules/texts/`); this
file fills them in.

A fact is a plain value. Times are given as aware datetimes with `zone` (of the place that they are about) and become
wall time; where the clock of whoever reads them shows another one (`reader_zone`, the owner's), the place is named and
no day is "today". `windows` is a sequence of (starts_at, ends_at) or of schemas.slot.Window. What somebody typed is
made one line without links. From right to left, names, numbers and times stand in isolates of their own, so that no
mark or figure wanders. `{ $short }` counts up from 0 when a text is too long, so that a pattern can say less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date, get_timezone, get_timezone_location
from fluent.runtime import FluentBundle, FluentResource

from rules.service import sms
from rules.service.sms import Text
from schemas.message import MessageKind
from schemas.moment import local
from schemas.slot import Window

__all__ = ["FACTS", "Text", "Wording"]

FALLBACK = "en"
NONE = "none"  #: an optional fact that was not given: a Fluent variant cannot be named by the empty string
MOST_PARTS = 2  #: what a text to an owner may cost
MOST_WIDE_PARTS = 5  #: the same in a script that the cheap alphabet of SMS lacks: a part holds 67 letters, not 153
RTL_MARK = (
    "\u200f"  #: at the beginning: a phone takes the direction of a text from its first letter, which may be a name's
)
_SHORTER = 4  #: how often a pattern may be asked to say less
_NAMES = {  # longest name in each round
    "dealer": (32, 26, 18, 14),
    "vehicle": (32, 26, 18, 0),
    "owner": (32, 24, 18, 12),
    "driver": (24, 20, 14, 12),
    "colleague": (24, 20, 14, 12),
    "address": (80, 60, 40, 30),
    "finding": (120, 80, 60, 40),
    "plate": (12, 12, 12, 12),
}

#: What each text must be told. Anything else a pattern mentions is optional and "none" when not given.
FACTS: dict[MessageKind, tuple[str, ...]] = {
    MessageKind.SAFETY: ("dealer", "vehicle", "severity", "rule", "phone"),
    MessageKind.SAFETY_OVER: ("dealer", "vehicle", "rule"),
    MessageKind.OFFER: ("dealer", "vehicle", "severity", "kind", "windows", "zone", "now", "link"),
    MessageKind.OFFER_EXPIRED: ("dealer", "phone"),
    MessageKind.BOOKED: ("dealer", "kind", "starts_at", "ends_at", "zone", "now"),
    MessageKind.MOVED: ("dealer", "kind", "starts_at", "ends_at", "zone", "now"),
    MessageKind.EXTRA_WORK: ("dealer", "vehicle", "link", "phone"),
    MessageKind.LATE: ("dealer", "promised", "due_at", "zone", "now"),
    MessageKind.NEW_TIME: ("dealer", "vehicle", "zone", "now"),
    MessageKind.DECLINED: ("dealer", "phone"),
    MessageKind.STOPPED: ("dealer",),
    MessageKind.STARTED: ("dealer",),
    MessageKind.HELP: ("dealer", "phone"),
    MessageKind.SOLD: ("dealer", "vehicle"),
    MessageKind.WRONG: ("dealer",),
    MessageKind.PASSED_ON: ("dealer",),
    MessageKind.REMINDER: ("dealer", "kind", "starts_at", "ends_at", "zone", "now"),
    MessageKind.ON_THE_WAY: ("dealer", "driver"),
    MessageKind.COLLECTED: ("dealer", "driver", "vehicle"),
    MessageKind.AT_WORKSHOP: ("dealer", "vehicle"),
    MessageKind.ON_THE_WAY_BACK: ("dealer", "driver", "vehicle"),
    MessageKind.HANDED_OVER: ("dealer", "vehicle", "phone"),
    MessageKind.WAITING: ("dealer", "vehicle", "template"),
    MessageKind.READY: ("dealer", "vehicle", "kind"),
    MessageKind.CANCELLED: ("dealer", "phone"),
    MessageKind.ALL_CLEAR: ("dealer", "vehicle"),
    MessageKind.FEEDBACK: ("dealer", "vehicle"),
    MessageKind.FEEDBACK_THANKS: ("dealer",),
    MessageKind.FREE: ("body",),
    MessageKind.STAFF_ALERT: ("vehicle", "severity", "link"),
    MessageKind.STAFF_ESCALATION: ("vehicle", "severity", "minutes", "link"),
    MessageKind.STAFF_COMEBACK: ("vehicle", "link"),
    MessageKind.STAFF_REPLY: ("owner", "body", "link"),
    MessageKind.STAFF_NOTE: ("colleague", "owner", "body", "link"),
    MessageKind.STAFF_SILENCE: ("owner", "vehicle", "minutes", "link"),
    MessageKind.STAFF_LATE: ("vehicle", "promised", "due_at", "zone", "now", "link"),
    MessageKind.STAFF_MISSED: ("owner", "vehicle", "starts_at", "ends_at", "zone", "now", "link"),
    MessageKind.STAFF_LEG: ("vehicle", "kind", "address", "starts_at", "ends_at", "zone", "now", "link"),
    MessageKind.STAFF_RESET: ("dealer", "minutes", "link"),
    MessageKind.STAFF_TEST: ("dealer", "link"),
    MessageKind.STAFF_RING: ("vehicle", "because", "owner", "phone", "link"),
    MessageKind.STAFF_TRIAL: ("rule", "link"),
    MessageKind.STAFF_UNREACHED: ("owner", "because", "phone", "link"),
}
#: Of a text written from right to left: which facts are somebody's name or words, and which are figures or a code.
_NAMES_APART = (
    "dealer",
    "vehicle",
    "owner",
    "driver",
    "colleague",
    "address",
    "finding",
    "body",
    "name",
    "because",
    "car",
)
_FIGURES_APART = ("phone", "plate", "which", "code", "hash")
_OPTIONAL = (
    "address",
    "because",
    "body",
    "channel",
    "component",
    "driver",
    "finding",
    "how",
    "kind",
    "leaves",
    "link",
    "minutes",
    "more",
    "opens",
    "owner",
    "plate",
    "promised",
    "proves",
    "ready_by",
    "ring",
    "rule",
    "severity",
    "template",
    "vehicle",
    "phone",
    "window",
)


class Wording:
    """All texts of all languages."""

    def __init__(self, texts: Mapping[str, Mapping[str, Any]]) -> None:
        """`texts`: language tag to a table of Fluent patterns; nested tables are joined by '-'."""
        self._keys = {language: dict(_flat(table)) for language, table in texts.items()}
        self._bundles = {
            language: _bundle(language, tuple(patterns.items())) for language, patterns in self._keys.items()
        }
        if FALLBACK not in self._bundles:
            raise ValueError(f"there are no texts in {FALLBACK}, the language that others fall back to")

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags of the languages there are."""
        return tuple(self._bundles)

    def keys(self, language: str) -> frozenset[str]:
        """What can be said in a language."""
        return frozenset(self._keys[language])

    def right_to_left(self, language: str) -> bool:
        """Whether it is written from right to left."""
        return self._keys[self.language(language)]["direction"] == "rtl"

    def most_parts(self, language: str) -> int:
        """What a text to an owner may cost in this language."""
        wide = sms.measure(self._format(self.language(language), "today", {})).encoding == "ucs2"
        return MOST_WIDE_PARTS if wide else MOST_PARTS

    def language(self, wanted: str) -> str:
        """The nearest language we have: de-AT is de, and what we do not speak is English."""
        return next(
            (tag for tag in (wanted, wanted.split("-")[0].split("_")[0].lower()) if tag in self._bundles), FALLBACK
        )

    def text(self, language: str, kind: MessageKind, /, **facts: Any) -> Text:
        """A message, as long as it may be: clauses are dropped, then accents, until it fits in two parts."""
        missing = [name for name in FACTS[kind] if facts.get(name) in (None, "")]
        if missing:
            raise TypeError(f"a text of kind {kind.value} needs {', '.join(missing)}")
        if kind is MessageKind.FREE:
            return sms.measure(sms.typography(str(facts["body"]).strip()))
        tag, key, best = self.language(language), f"message-{kind.value}", None
        most, begin = self.most_parts(tag), RTL_MARK if self.right_to_left(tag) else ""
        for short in range(_SHORTER):
            prepared = self._prepared(tag, facts, brief=short > 1)
            named = self._apart(tag, prepared | _names(facts, short))
            words = begin + " ".join(self._format(tag, key, named).split())
            for spelled in (sms.typography(words), sms.without_accents(words)):
                found = sms.measure(spelled)
                if best is None or (found.parts, len(found.body)) < (best.parts, len(best.body)):
                    best = found
                if found.parts <= most:
                    return found
        assert best is not None
        return best

    def say(self, language: str, key: str, /, **facts: Any) -> str:
        """A phrase for a page. KeyError when English itself lacks it."""
        tag = self.language(language)
        return self._format(tag, key, self._apart(tag, {**facts, **self._times(tag, facts)}))

    def _apart(self, tag: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Names and figures in isolates, where the words run from right to left."""
        if not self.right_to_left(tag):
            return facts
        given = {name: value for name, value in facts.items() if isinstance(value, str) and value not in ("", NONE)}
        names = {name: apart(given[name]) for name in _NAMES_APART if name in given}
        return facts | names | {name: ltr(given[name]) for name in _FIGURES_APART if name in given}

    def what(self, language: str, rule: str | None, component: str = "", severity: str = "soon") -> str:
        """What the car reports, as a noun phrase: 'front left tyre is losing air'."""
        tag = self.language(language)
        key = "rule-call" if rule is None else f"rule-{rule}"
        if component and self._has(tag, f"{key}-{component}"):  # a lamp is no code
            key = f"{key}-{component}"
        return self._format(
            tag, key if self._has(tag, key) else "rule-unknown", self._about(tag, component, severity)
        ).strip()

    def drive(self, language: str, rule: str | None, severity: str, component: str = "") -> str:
        """How urgent it is and whether the owner may drive."""
        tag = self.language(language)
        key = f"rule-{rule}-drive"
        return self._format(tag, key if self._has(tag, key) else "drive", self._about(tag, component, severity)).strip()

    def do(self, language: str, rule: str | None) -> str:
        """What the owner should do at once about a car that must not be driven on."""
        tag = self.language(language)
        key = f"rule-{rule}-do"
        return self._format(tag, key if self._has(tag, key) else "do", {}).strip()

    def component(self, language: str, component: str) -> str:
        """Which part: 'front left', 'cell 41', or the code itself."""
        tag = self.language(language)
        if self._has(tag, f"component-{component}"):
            return self._format(tag, f"component-{component}", {})
        noun, _, number = component.rpartition("_")
        if number.isdigit() and self._has(tag, f"component-{noun}"):
            return f"{self._format(tag, f'component-{noun}', {})} {number}"
        return component.replace("_", " ")

    def window(
        self, language: str, starts_at: datetime, ends_at: datetime, zone: str, now: datetime | None = None
    ) -> str:
        """'today 11:00-12:00', 'Thu 09:00-10:00', on the place's wall clock."""
        hours = f"{local(starts_at, zone):%H:%M}-{local(ends_at, zone):%H:%M}"
        return f"{self.day(language, starts_at, zone, now)} {ltr(hours) if self.right_to_left(language) else hours}"

    def time(self, language: str, moment: datetime, zone: str, now: datetime | None = None) -> str:
        """'14:30' today, 'tomorrow 08:00', on the place's wall clock."""
        clock = f"{local(moment, zone):%H:%M}"
        today = now is not None and local(now, zone).date() == local(moment, zone).date()
        return clock if today else f"{self.day(language, moment, zone, now)} {clock}"

    def day(self, language: str, moment: datetime, zone: str, now: datetime | None = None) -> str:
        """'today', 'tomorrow', 'Thu', or from a week on (or without `now`) 'Tue 24 Nov', on the place's calendar."""
        tag, day = self.language(language), local(moment, zone).date()
        ahead = (day - local(now, zone).date()).days if now is not None else -1
        if ahead in (0, 1):
            return self._format(tag, ("today", "tomorrow")[ahead], {})
        detector = "EEE" if 0 <= ahead < 7 else "EEE d MMM"  # within the week the weekday is enough
        return str(format_date(day, detector, locale=Locale.parse(tag, sep="-"))).replace(".", "")

    def place_time(self, language: str, zone: str, *, brief: bool = False) -> str:
        """Whose clock is meant: 'Berlin time', in brief 'Berlin'."""
        tag = self.language(language)
        city = get_timezone_location(
            get_timezone(zone), locale=Locale.parse(tag, sep="-"), return_city=True
        ).rpartition("/")[2]
        return city if brief else self._format(tag, "place-time", {"city": city})

    def _prepared(self, tag: str, facts: Mapping[str, Any], *, brief: bool) -> dict[str, Any]:
        """The facts as Fluent wants them: strings and numbers, instants as wall time, and what the rule says."""
        known: dict[str, Any] = dict.fromkeys(_OPTIONAL, NONE)
        for name, value in facts.items():
            if isinstance(value, str) and name != "link":
                known[name] = sms.one_line(value) or NONE
            elif isinstance(value, (str, int, float)):
                known[name] = value or NONE
        rule, component, severity = (
            facts.get("rule"),
            str(facts.get("component") or ""),
            str(facts.get("severity") or ""),
        )
        return (
            known
            | self._times(tag, facts, brief=brief)
            | {
                "severity": severity,
                "what": self.what(tag, rule, component, severity),
                "drive": self.drive(tag, rule, severity, component),
                "do": self.do(tag, rule),
                "more": int(facts.get("more") or 0),
            }
        )

    def _times(self, tag: str, facts: Mapping[str, Any], *, brief: bool = False) -> dict[str, Any]:
        """Instants become wall time; a pair becomes `window`; offered windows become `first` and `second`."""
        zone, now = facts.get("zone"), facts.get("now")
        if zone is None:
            return {}
        moments = {name: value for name, value in facts.items() if isinstance(value, datetime)}
        offered: Sequence[Window | tuple[datetime, datetime]] = facts.get("windows") or ()
        pairs = [(w.starts_at, w.ends_at) if isinstance(w, Window) else w for w in offered]
        place = ""
        if away(zone, facts.get("reader_zone"), *moments.values(), *(start for start, _ in pairs)):
            now, place = None, self.place_time(tag, zone, brief=brief)
            place = f" {place}" if brief else f" ({place})"
        made: dict[str, Any] = {name: self.time(tag, value, zone, now) + place for name, value in moments.items()}
        if "starts_at" in moments and "ends_at" in moments:
            made["window"] = (
                self.window(tag, moments["starts_at"], ends_at=moments["ends_at"], zone=zone, now=now) + place
            )
        named = [self.window(tag, *pair, zone, now) for pair in pairs]
        named[-1:] = [last + place for last in named[-1:]]  # the choices stand side by side: said once, after both
        made |= dict(zip(("first", "second"), named))
        if pairs:
            made["choices"] = len(pairs)
            made.setdefault("second", NONE)
        return made

    def _about(self, tag: str, component: str, severity: str) -> dict[str, Any]:
        return {"component": self.component(tag, component) if component else NONE, "severity": str(severity)}

    def _has(self, tag: str, key: str) -> bool:
        return key in self._keys[tag] or key in self._keys[FALLBACK]

    def _format(self, tag: str, key: str, facts: Mapping[str, Any]) -> str:
        if key not in self._keys[tag]:
            tag = FALLBACK
        if key not in self._keys[tag]:
            raise KeyError(key)
        bundle = self._bundles[tag]
        pattern = bundle.get_message(key).value
        if pattern is None:
            raise KeyError(key)
        words, errors = bundle.format_pattern(pattern, dict(facts))
        if errors:
            raise KeyError(f"{key} in {tag}: {errors[0]}")
        return str(words)


def apart(words: str) -> str:
    """Of its own direction, whatever stands around it."""
    return f"\u2068{words}\u2069"


def ltr(figures: str) -> str:
    """From left to right, whatever stands around it."""
    return f"\u2066{figures}\u2069"


def away(zone: str, reader_zone: str | None, *moments: datetime) -> bool:
    """Whether the clock of who reads shows another time than that of the place, at any of these moments."""
    return bool(reader_zone) and any(
        local(moment, zone).utcoffset() != local(moment, str(reader_zone)).utcoffset() for moment in moments
    )


def _names(facts: Mapping[str, Any], short: int) -> dict[str, Any]:
    """Names, cut to what this round allows."""
    room = {name: longest[short] for name, longest in _NAMES.items() if isinstance(facts.get(name), str)}
    names = {name: (sms.one_line(facts[name], most) if most else "") or NONE for name, most in room.items()}
    # who has several cars must know of which one we speak, however short the text
    if facts.get("which") and "dealer" in names:
        names["dealer"] += f" ({sms.one_line(str(facts['which']), 12)})"
    return {"short": short} | names


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}-")
        else:
            yield before + name, str(value)


@lru_cache(maxsize=16)  # reading a language takes 40 ms, and its patterns are the same each time
def _bundle(language: str, patterns: tuple[tuple[str, str], ...]) -> FluentBundle:
    bundle = FluentBundle([language], use_isolating=False)
    lines = [f"{key} =\n" + "\n".join("    " + line for line in words.strip().splitlines()) for key, words in patterns]
    bundle.add_resource(FluentResource("\n".join(lines) + "\n"))
    for key, _ in patterns:
        if not bundle.has_message(key):
            raise ValueError(f"{language}: the pattern of {key} cannot be read")
    return bundle
