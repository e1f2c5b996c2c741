"""How the desk says things: times in the dealer's zone, spans, states, quantities. The tables are English, and read
in the reader's language where a page shows them; the functions speak it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from dealer_api import reader
from dealer_api.desk.languages.saying import count, dated, say, upright, whole_day
from schemas.moment import local
from schemas.reading import Refusal
from schemas.scope import BEFORE_SCOPES, SCOPES

STATES = {
    "open": "To do",
    "contacted": "Waiting for owner",
    "booked": "Booked",
    "in_workshop": "In the workshop",
    "verifying": "Repaired, to be proved",
    "done": "Done",
    "dismissed": "Dismissed",
}
#: Tables of names that are for style sheets and scripts, and no words.
UNSAID = frozenset({"LOOKS", "LEG_ICONS"})
#: How each state looks: calm, info, warn, good, bad.
LOOKS = {
    "open": "warn",
    "contacted": "info",
    "booked": "info",
    "in_workshop": "info",
    "verifying": "info",
    "done": "good",
    "dismissed": "calm",
    "agreed": "info",
    "arrived": "info",
    "working": "info",
    "ready": "good",
    "completed": "good",
    "cancelled": "calm",
    "planned": "calm",
    "on_the_way": "warn",
    "collected": "warn",
    "at_workshop": "good",
    "on_the_way_back": "warn",
    "at_car": "warn",
    "handed_over": "good",
    "accepted": "good",
    "declined": "warn",
    "expired": "warn",
    "withdrawn": "calm",
    "queued": "calm",
    "sent": "calm",
    "delivered": "calm",
    "failed": "bad",
    "active": "warn",
    "resolved": "good",
    "lapsed": "calm",
    "pending": "calm",
}
SEVERITIES = {"now": "Now", "soon": "Soon", "advice": "Advice"}
URGENCY = {"now": "before driving on", "soon": "within days", "advice": "at the next visit"}
KINDS = {
    "pickup": "Pickup and delivery",
    "drop_off": "Owner brings the car",
    "waiting": "Owner waits here",
    "tow": "Tow truck, and delivery",
    "mobile_repair": "Mobile repair",
    "shuttle": "Owner brings the car, shuttle",
}
RESOURCES = {
    "bay": "Bay",
    "loaner": "Loaner car",
    "tow_truck": "Tow truck",
    "van": "Service van",
}
BOOKINGS = {
    "agreed": "Agreed",
    "arrived": "Car is here",
    "working": "Being worked on",
    "ready": "Ready",
    "completed": "Handed over",
    "cancelled": "Cancelled",
}
SKILLS = {
    "mechanical": "Engine, brakes, chassis",
    "electrical": "12 V and electronics",
    "high_voltage": "High voltage",
    "tyres": "Tyres",
}
#: What the work on a car waits for.
EXTRA_URGENCY = {
    "advice": "Can wait",
    "soon": "Should be done soon",
    "now": "Must be done before it drives on",
}
AWAITED = {"part": "A part", "answer": "The owner's answer", "other": "Something else"}
#: How a person knows that a repair holds.
CONFIRMATIONS = {"owner": "The owner says so", "test_drive": "A test drive", "technician": "A technician looked again"}
LEGS = {
    "planned": "Planned",
    "on_the_way": "On the way",
    "collected": "Collected",
    "at_workshop": "At the workshop",
    "on_the_way_back": "On the way back",
    "handed_over": "Handed over",
    "at_car": "At the car",
    "cancelled": "Cancelled",
    "undone": "Step taken back",
    "recorded_collect": "Handover record written",
    "recorded_return": "Handover record written",
}
#: What a handover record is of, and what its marks are.
HANDED = {
    "collect": "Collected from the customer",
    "return": "Brought back to the customer",
    "loaner_out": "Loaner handed out",
    "loaner_in": "Loaner taken back",
}
HARMS = {"scratch": "Scratch", "dent": "Dent", "crack": "Crack", "missing": "Missing"}
PROMISED = {
    "collect": "Collected by",
    "bring": "Brought by",
    "ready": "Ready by",
    "return": "Back by",
    "visit": "With them by",
}
#: What should have happened by now.
LATE = {
    "collect": "Not collected",
    "bring": "Not brought",
    "ready": "Not ready",
    "return": "Not brought back",
    "visit": "Technician not there",
    "loaner": "Loaner not back",
    "wait": "Still not there",
    "labour": "Nobody to work on it",
}
#: A technician's next step on the way to a car: its event, and what they press.
VISIT_STEPS = {"planned": ("on_the_way", "I am on the way"), "on_the_way": ("at_car", "I am at the car")}
LEG_ICONS = {"collect": "truck", "return": "back", "visit": "wrench"}
WAYS = {"collect": "Collect", "return": "Return", "tow": "Tow truck", "visit": "Mobile repair"}
OFFERS = {
    "open": "Open",
    "accepted": "Accepted",
    "declined": "Declined",
    "expired": "Expired",
    "withdrawn": "Withdrawn",
}
ALERTS = {
    "pending": "Watching",
    "active": "Active",
    "resolved": "Gone",
    "lapsed": "Passed by itself",
    "withdrawn": "Withdrawn",
}
MESSAGES = {
    "queued": "queued",
    "claimed": "being sent",
    "sent": "sent",
    "delivered": "delivered",
    "failed": "not delivered",
    "cancelled": "not sent",
    "received": "received",
}
PURPOSES = {"safety": "Safety", "service": "Care and offers", "status": "My visit", "survey": "Feedback question"}
ROLES = {"advisor": "Service advisor", "driver": "Driver", "technician": "Technician", "manager": "Manager"}
TWO_UNITS = {"tell": "Show it at the car", "stop": "Stop both at once"}
SECOND_FACTOR = {"nobody": "Nobody must", "managers": "Managers must", "everybody": "Everybody must"}
#: Where a dealer insists on a handover record.
RECORDS = {"both": "At both ends", "return": "When it is brought back", "nobody": "Nowhere: it may be left out"}
#: What a manager should notice among what happened.
WATCHED = ("second factor taken away", "recovery code used", "link for a new password", "disabled", "manager")
LANGUAGES = {"en": "English", "de": "German", "es": "Spanish", "ar": "Arabic"}
CHANNELS = {"phone": "demo phone", "sms": "SMS", "twilio": "SMS", "email": "e-mail", "whatsapp": "WhatsApp"}
REFUSALS: dict[str, tuple[str, str]] = {
    Refusal.NOT_JSON: ("Not JSON", "The message could not be read at all."),
    Refusal.NOT_TELEMETRY: ("Not in our form", "It was JSON, but not what the contract describes."),
    Refusal.NOT_FINITE: ("Not a number", "It held NaN or an infinite value."),
    Refusal.TOO_LARGE: ("Too large", "The message was larger than a car needs to send."),
    Refusal.UNKNOWN_SIGNAL: ("Unknown signal", "It named a signal we do not know; the known ones were kept."),
    Refusal.OUT_OF_RANGE: ("Out of range", "A value that no such sensor can give; the others were kept."),
    Refusal.FOREIGN_VIN: ("Another car's name", "The message named another car than the one that sent it."),
    Refusal.UNKNOWN_VEHICLE: ("Unknown vehicle", "Nobody here looks after this car."),
    Refusal.UNMAPPED: ("Unmapped", "A feed speaks of a car, and nobody has said which of ours it is."),
    Refusal.REVOKED: (
        "Revoked",
        "The car's credentials were taken away; what it says is not believed until it is enrolled again.",
    ),
    Refusal.RETAINED: ("Retained", "An old message that the broker kept; never an event."),
    Refusal.ODOMETER: ("Odometer", "It ran backwards, or faster than a car can drive."),
    Refusal.FLOOD: ("Flood", "This source sends nothing but refused messages; they are counted, no longer kept."),
    Refusal.DATABASE: ("Could not be stored", "One row was refused by the database and taken out of its batch."),
}
UNDERSTOOD = {
    "choice": "picked a time",
    "decline": "said no",
    "stop": "stopped our texts",
    "start": "wants texts again",
    "help": "asked for help",
    "sold": "sold the car",
    "wrong": "says that the number is wrong",
    "feedback": "gave feedback",
    "other": "needs reading",
    "auto": "answered by a machine",
}


def span(delta: timedelta) -> str:
    """A length of time as people say it, with at most two units."""
    minutes = int(delta.total_seconds() // 60)
    if minutes < 1:
        return say("under 1 min")
    if minutes < 60:
        return say("{minutes} min", minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return (
            say("{hours} h {minutes} min", hours=hours, minutes=minutes)
            if minutes and hours < 10
            else say("{hours} h", hours=hours)
        )
    days = hours // 24
    return count("1 day", "{days} days", days, days=days)


def ago(moment: datetime | None, now: datetime) -> str:
    """How long since: 'just now', '12 min ago', '9 days ago'; honest when it never was."""
    if moment is None:
        return say("never")
    gone = now - moment
    if gone < timedelta(minutes=1):
        return say("just now")
    days = gone.days
    return count("1 day ago", "{days} days ago", days, days=days) if days else say("{span} ago", span=span(gone))


def ahead(moment: datetime, now: datetime) -> str:
    """'in 20 min', or 'passed 5 min ago'."""
    if moment <= now:
        return say("passed {ago}", ago=ago(moment, now))
    days = (moment - now).days
    return count("in 1 day", "in {days} days", days, days=days) if days else say("in {span}", span=span(moment - now))


def clock(moment: datetime, zone: str) -> str:
    """14:30 on the wall of `zone`."""
    return f"{local(moment, zone):%H:%M}"


def day(moment: datetime, zone: str, now: datetime) -> str:
    """Today, yesterday, tomorrow, or Mon 23 Nov (with the year when it is another)."""
    there, here = local(moment, zone).date(), local(now, zone).date()
    match (there - here).days:
        case 0:
            return say("today")
        case -1:
            return say("yesterday")
        case 1:
            return say("tomorrow")
    return dated(there, year=there.year != here.year)


def long_day(day: date, *, year: bool = True) -> str:
    """'Monday 23 November 2026'."""
    return whole_day(day, year=year)


def short_day(day: date) -> str:
    """'Mon 23 Nov'."""
    return dated(day)


def calendar_day(day: date) -> str:
    """'Thu 24 Dec 2026', of a day without an hour."""
    return dated(day, year=True)


def stamp(moment: datetime, zone: str) -> str:
    """'Mon 23 Nov 2026, 10:40': a clock with its day, two digits each so that it can tick in place."""
    there = local(moment, zone)
    if reader.language() == reader.ENGLISH:
        return f"{there:%a %d %b %Y, %H:%M}"
    return f"{dated(there.date(), year=True)}, {there:%H:%M}"


def open_hours(spans: Sequence[tuple[int, int]]) -> str:
    """'08:00–12:00, 13:00–18:00' out of minutes of the day; 'closed' when there are none."""
    return ", ".join(
        upright(f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}") for start, end in spans
    ) or say("closed")


def when(moment: datetime, zone: str, now: datetime) -> str:
    """'today 14:30', 'Mon 23 Nov 14:30'."""
    return f"{day(moment, zone, now)} {clock(moment, zone)}"


def window(start: datetime, end: datetime, zone: str, now: datetime) -> str:
    """'today 11:00–12:00'."""
    return f"{day(start, zone, now)} {hours(start, end, zone)}"


def hours(start: datetime, end: datetime, zone: str) -> str:
    """'11:00–12:00'."""
    return upright(f"{clock(start, zone)}–{clock(end, zone)}")


def edge(moment: datetime, zone: str, beyond: bool) -> str:
    """Where a span begins or ends on the shown day: 11:00, or with its weekday when it lies on another one."""
    there = local(moment, zone)
    return f"{dated(there.date(), weekday_only=True)} {there:%H:%M}" if beyond else clock(moment, zone)


def on_day(moment: datetime, zone: str, shown: date) -> str:
    """15:00, or Mon 15:00 when it was on another day than the one that is shown."""
    return edge(moment, zone, local(moment, zone).date() != shown)


def hours_of(delta: timedelta) -> str:
    """7, or 7.5: hours as people add them up."""
    hours = f"{delta.total_seconds() / 3600:.1f}".removesuffix(".0")
    return hours.replace(".", ",") if reader.language() in ("de", "es") else hours


def initials(name: str | None) -> str:
    """Two letters for a face."""
    parts = [part for part in (name or "").split() if part[0].isalnum()]
    return (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")).upper() if parts else "–"


def sentence(text: str) -> str:
    """With a capital at its beginning and nowhere else: 12 V stays 12 V."""
    return text[:1].upper() + text[1:]


def plain(name: str) -> str:
    """A token of ours as words: front_left is front left."""
    return name.replace("_", " ")


def about(moment: datetime, now: datetime) -> str:
    """When something was, as coarsely as we know it: 'within the hour', '5 h ago', '9 days ago'."""
    return say("within the hour") if now - moment < timedelta(hours=1) else ago(moment, now)


def scopes(given: list[str] | None) -> str:
    """What a key may do, as its program's maker asked for it."""
    if given is None:
        return say("from before there were scopes: {scopes}", scopes=", ".join(BEFORE_SCOPES))
    return say("everything that a program may do") if set(given) == set(SCOPES) else ", ".join(given)


def actor(name: str, people: dict[int, str]) -> str:
    """Who did it, by name."""
    kind, _, number = name.partition(":")
    if kind == "staff" and number.isdigit():
        return people.get(int(number), say("somebody who left"))
    if kind == "api":
        return say("the program “{label}”", label=number)
    known = {
        "car": "the car",
        "worker": "Telltale",
        "system": "Telltale",
        "owner": "the owner",
        "gateway": "the car",
        "command": "a command on the server",
    }.get(kind)
    return say(known) if known else plain(name)
