"""Everything that can be done here, and who may: one line for each act, whichever door it goes through.

The JSON API and the desk's pages name the same line for the same act, so that the two can never answer differently.
Staff are let in by role, programs by the scopes of their key; `docs/reference/permissions.md` is made from this.
"""

from __future__ import annotations

from dataclasses import dataclass

DRIVER, TECHNICIAN, ADVISOR, MANAGER = "driver", "technician", "advisor", "manager"
ROLES = (DRIVER, TECHNICIAN, ADVISOR, MANAGER)

_ADVISORS = frozenset({ADVISOR, MANAGER})
_WORKSHOP = frozenset({TECHNICIAN, ADVISOR, MANAGER})
_DRIVING = frozenset({DRIVER, ADVISOR, MANAGER})
_MANAGERS = frozenset({MANAGER})
_PEOPLE = frozenset(ROLES)
_NOBODY: frozenset[str] = frozenset()

ANY_KEY = "any"  #: every key opens it, whatever it was made for


@dataclass(frozen=True)
class Permission:
    """One act. `scope` is what a program's key must have been made for; without one no key ever opens the door."""

    name: str
    does: str
    roles: frozenset[str]
    scope: str | None = None
    proof: str = ""  #: on doors where nobody signs in: what the handler asks for instead

    @property
    def public(self) -> bool:
        """Whether nobody is asked who they are."""
        return not self.roles

    def allows(self, role: str, scopes: frozenset[str] | None = None) -> bool:
        """Whether this role may, or a key (role `api`) with these scopes; None: a key without limits."""
        if role != "api":
            return role in self.roles
        return self.scope is not None and (scopes is None or self.scope == ANY_KEY or self.scope in scopes)


# Nobody is signed in
PUBLIC = Permission(
    "public", "What everybody may see: the sign-in page, health, the API's description", _NOBODY, proof="nothing"
)
LINK = Permission(
    "link",
    "One visit, one drive, one question or the end of one's mails, for whoever holds its signed link",
    _NOBODY,
    proof="a signed link that has not ended",
)
WEBHOOK = Permission("webhook", "What a provider reports to us", _NOBODY, proof="the provider's signature")
DEMO = Permission("demo", "The demo's phones and one-click sign-in", _NOBODY, proof="a demo on this machine")

# Oneself
SEE_SELF = Permission("session.read", "Who am I, and at which dealer", _PEOPLE, ANY_KEY)
SECURITY = Permission("security.own", "One's own password, second factor, passkeys and sessions", _PEOPLE)
LEAVE = Permission("session.end", "Sign out", _PEOPLE)
HEAR_CHANGES = Permission(
    "changes.hear", "Be told that something of this dealer has changed: its noun and number", _PEOPLE, "events:read"
)
SEE_DAY = Permission("day.read", "The day: its drives and visits", _PEOPLE)

# Cases and what the cars say
READ_CASES = Permission("cases.read", "The queue, and one case with all that belongs to it", _WORKSHOP, "cases:read")
WORK_CASES = Permission(
    "cases.write", "Open a case, take it, hand it on, close it, open it again", _ADVISORS, "cases:write"
)
CONFIRM_CASES = Permission(
    "cases.confirm",
    "Close a repaired case whose car cannot prove it, and say how it is known: the owner, a test drive, a technician",
    _WORKSHOP,
    "cases:write",
)
SAY_KNOWN = Permission(
    "cases.owner_knows",
    "Say that one rang the owner of a car that must not be driven on, and that they know",
    _ADVISORS,
    "cases:write",
)
HAND_OUT_EVIDENCE = Permission(
    "cases.evidence",
    "Make the evidence pack of a case: readings, verdicts, texts, records and history in one file",
    _ADVISORS,
)
KEEP_VIEWS = Permission(
    "views.write", "Keep a view of a list under a name, for oneself or for colleagues; drop it", _WORKSHOP
)
READ_ALERTS = Permission("alerts.read", "Alerts with their evidence", _WORKSHOP, "cases:read")
READ_REFUSED = Permission("quarantine.read", "Telemetry that was refused, and why", _WORKSHOP, "vehicles:read")
DECIDE_REFUSED = Permission(
    "quarantine.decide", "Let refused telemetry in, keep it out, take it back", _ADVISORS, "vehicles:write"
)

# Offers and visits
READ_OFFERS = Permission("offers.read", "Offers with the windows that they hold", _WORKSHOP, "bookings:read")
MAKE_OFFERS = Permission(
    "offers.write",
    "Find free windows, hold two, record the owner's answer, take an offer back",
    _ADVISORS,
    "bookings:write",
)
READ_BOOKINGS = Permission("bookings.read", "Visits, and customers who wait", _WORKSHOP, "bookings:read")
BOOK = Permission("bookings.write", "Book a window, give a visit another time, cancel it", _ADVISORS, "bookings:write")
WORK_BOOKINGS = Permission(
    "bookings.work",
    "Say that the car came, is worked on, waits for a part, is repaired, is with its owner again; promise a time; add "
    "extra work",
    _WORKSHOP,
    "bookings:write",
)
SEND_WORD = Permission(
    "waiting.tell", "Send a ready-made true word to a customer who waits", _WORKSHOP, "messages:write"
)
ANSWER_ESTIMATES = Permission(
    "estimates.answer", "Record the owner's yes or no to extra work", _ADVISORS, "bookings:write"
)
READ_LEGS = Permission(
    "legs.read",
    "Collections, returns and mobile repairs; one's own and those that are nobody's",
    _PEOPLE,
    "bookings:read",
)
MOVE_LEGS = Permission(
    "legs.move", "The next step of a drive; drivers and technicians move only their own", _PEOPLE, "bookings:write"
)
WRITE_HANDOVERS = Permission(
    "handovers.write",
    "Write the record of a car that changes hands, with its photos; a driver of their own drives",
    _DRIVING,
    "bookings:write",
)
READ_HANDOVERS = Permission(
    "handovers.read", "Records of cars that changed hands, with their photos", _WORKSHOP, "bookings:read"
)
LOOK_AT_DRIVES = Permission("drives.look", "Say that an odd drive was looked at", _ADVISORS)
ASSIGN_LEGS = Permission("legs.assign", "Give a drive to another driver", _ADVISORS, "bookings:write")

# Cars and owners
READ_VEHICLES = Permission(
    "vehicles.read", "Cars, and what they say, without where they are", _WORKSHOP, "vehicles:read"
)
READ_POSITIONS = Permission("positions.read", "Where a car is or was", _ADVISORS, "positions:read")
WRITE_VEHICLES = Permission(
    "vehicles.write", "Look after a car, describe it, give it to an owner", _ADVISORS, "vehicles:write"
)
CORRECT_UNITS = Permission(
    "units.correct",
    "Accept that a car says a signal in another unit than ours, as it is proposed, and take that back",
    _WORKSHOP,
    "vehicles:write",
)
ENROL_VEHICLES = Permission(
    "vehicles.enrol", "Give a car's unit its credentials, and take them away", _ADVISORS, "vehicles:enrol"
)
READ_OWNERS = Permission(
    "owners.read", "Owners: how they are reached, what they agreed to, the conversation", _ADVISORS, "owners:read"
)
WRITE_OWNERS = Permission(
    "owners.write", "Add and change owners, record their consent, import a list", _ADVISORS, "owners:write"
)
EXPORT_OWNERS = Permission("owners.export", "Hand out everything that is held about an owner", _MANAGERS)
ERASE_OWNERS = Permission("owners.erase", "Erase an owner for good; a pseudonym stands in their place", _MANAGERS)
READ_MESSAGES = Permission(
    "messages.read",
    "The conversation with an owner, beside what else one may read of a case",
    _WORKSHOP,
    "messages:read",
)
WRITE_TO_OWNERS = Permission(
    "messages.write", "Write to an owner in one's own words; mark what they wrote as read", _ADVISORS, "messages:write"
)

READ_INBOX = Permission("inbox.read", "The house's inbox: every conversation, its notes and drafts", _ADVISORS)
ASSIGN_THREADS = Permission("inbox.assign", "Take a conversation, hand it to a colleague", _ADVISORS)
SNOOZE_THREADS = Permission("inbox.snooze", "Let a conversation rest, wake it", _ADVISORS)
NOTE_THREADS = Permission("inbox.note", "Note something beside a conversation, for colleagues only", _ADVISORS)
DRAFT_TEXTS = Permission("inbox.draft", "Keep a half-written answer to an owner", _ADVISORS)
WRITE_QUICK_REPLIES = Permission("quick_replies.write", "Write down answers that are ready, take one out", _MANAGERS)

# The dealer itself
READ_DEALER = Permission("dealer.read", "The dealer's hours, limits, bays and loaners", _ADVISORS, "dealer:read")
WRITE_DEALER = Permission(
    "dealer.write", "Change the dealer's hours and limits, add a bay or a loaner, retire it", _MANAGERS, "dealer:write"
)
READ_STAFF = Permission("staff.read", "The dealer's people", _ADVISORS, "staff:read")
WRITE_STAFF = Permission(
    "staff.write",
    "Invite a colleague, say how they are reached, give another role, end a colleague's access, take them back",
    _MANAGERS,
)
READ_NUMBERS = Permission(
    "numbers.read", "See the numbers of the house, and the cases behind each", _MANAGERS, "cases:read"
)
READ_AUDIT = Permission("audit.read", "Look up who did what, when and to which thing", _MANAGERS)
KEEP_KEYS = Permission("keys.write", "Make, list and revoke keys of programs", _MANAGERS)

PERMISSIONS = tuple(found for found in list(globals().values()) if isinstance(found, Permission))
