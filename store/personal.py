"""Everything that is held about an owner, column by column: what an export shows, and what an erasure makes of it.

A test walks the database: a table that is missing here, or a column, fails. In the SQL `{dealer}`, `{owner}`, `{words}`
(a pattern of what the person is called and how they are reached) and `{now}` are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KEPT: Final = ""  #: it stays: it says nothing about a person once the rest has gone
MENTIONS: Final = "mentions"  #: it stays unless the person is mentioned in it
GONE: Final = "(words removed)"

_CASES = "(SELECT id FROM cases WHERE dealer_id = {dealer} AND owner_id = {owner})"
_THREADS = "(SELECT id FROM threads WHERE dealer_id = {dealer} AND owner_id = {owner})"
_OFFERS = f"(SELECT id FROM offers WHERE dealer_id = {{dealer}} AND case_id IN {_CASES})"
_BOOKINGS = f"(SELECT id FROM bookings WHERE dealer_id = {{dealer}} AND case_id IN {_CASES})"
_LEGS = f"(SELECT id FROM legs WHERE dealer_id = {{dealer}} AND booking_id IN {_BOOKINGS})"
_ADDRESSES = (
    "(SELECT phone FROM owners WHERE dealer_id = {dealer} AND id = {owner} UNION SELECT email FROM owners "
    "WHERE dealer_id = {dealer} AND id = {owner})"
)
THINGS = f"""(t.noun = 'owner' AND t.subject_id = {{owner}} OR t.noun = 'case' AND t.subject_id IN {_CASES}
  OR t.noun = 'offer' AND t.subject_id IN {_OFFERS}
  OR t.noun = 'booking' AND t.subject_id IN {_BOOKINGS} OR t.noun = 'leg' AND t.subject_id IN {_LEGS}
    OR t.noun = 'estimate' AND t.subject_id IN
  (SELECT id FROM estimate_lines WHERE dealer_id = {{dealer}} AND booking_id IN {_BOOKINGS})
  OR t.noun = 'message' AND t.subject_id IN (SELECT id FROM messages WHERE dealer_id = {{dealer}}
    AND owner_id = {{owner}}))"""


def _while_theirs(at: str) -> str:
    """Only what came while the car was theirs."""
    return (
        "EXISTS (SELECT FROM ownerships e WHERE e.dealer_id = {dealer} AND e.owner_id = {owner} "
        "AND e.vehicle_id = t.vehicle_id "
        f"AND t.{at} >= e.since AND (e.until IS NULL OR t.{at} < e.until))"
    )


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table.

    `becomes`: column -> what an erasure makes of it; `shows`: what an export shows beside the columns, as SQL.
    """

    name: str
    table: str
    of_owner: str
    becomes: Mapping[str, str]
    hides: frozenset[str] = frozenset()  #: columns that an export leaves out: they are ours, not about the person
    shows: Mapping[str, str] = field(default_factory=dict)
    order: str = "id"
    exported: bool = True
    by_hand: bool = False  #: the erasure of these rows is written out in store/erasing.py

    @property
    def fields(self) -> list[str]:
        """What each row of an export has."""
        return [*(column for column in self.becomes if column not in self.hides | {"dealer_id"}), *self.shows]


def _kept(columns: str, **becomes: str) -> dict[str, str]:
    return {**dict.fromkeys(columns.split(), KEPT), **becomes}


_LINE = "id dealer_id booking_id amount_minor labour_minor urgency answer asked_at answered_at answered_by withdrawn_at"
PARTS: Final = (
    Part(
        "vehicles",
        "ownerships",
        of_owner="t.owner_id = {owner}",
        becomes=_kept("id dealer_id vehicle_id owner_id since until"),
        hides=frozenset({"id", "owner_id"}),
        shows={
            "vin": "(SELECT v.vin FROM vehicles v WHERE v.dealer_id = {dealer} AND v.id = t.vehicle_id)",
            "title": "(SELECT v.title FROM vehicles v WHERE v.dealer_id = {dealer} AND v.id = t.vehicle_id)",
            "plate": "(SELECT v.plate FROM vehicles v "
            "WHERE v.dealer_id = {dealer} AND v.id = t.vehicle_id AND t.until IS NULL)",
            "messages": "(SELECT count(*) FROM readings r "
            "WHERE r.dealer_id = {dealer} AND r.vehicle_id = t.vehicle_id AND r.ts >= t.since "
            "AND (t.until IS NULL OR r.ts < t.until))",
            "newest_values": "(SELECT l.values FROM latest l "
            "WHERE l.dealer_id = {dealer} AND l.vehicle_id = t.vehicle_id AND t.until IS NULL AND l.ts >= t.since)",
        },
    ),
    Part(
        "cars",
        "vehicles",
        "t.owner_id = {owner}",
        _kept(
            "id vin dealer_id dealer_since profile title secret_hash enrolled_at facts last_heard_at online changed "
            "mosquitto_hash",
            owner_id="NULL",
            plate="NULL",
            revoked_at="coalesce(t.revoked_at, {now})",
        ),
        exported=False,
        by_hand=True,
    ),
    Part(
        "consents",
        "consents",
        of_owner="t.owner_id = {owner}",
        becomes=_kept("id dealer_id owner_id purpose given at", source="'erased'", wording="''"),
        hides=frozenset({"owner_id", "id"}),
        by_hand=True,
    ),
    Part(
        "conversation",
        "threads",
        of_owner="t.owner_id = {owner}",
        becomes=_kept(
            "id dealer_id owner_id last_in_at last_out_at assignee_id", needs_reading="false", snoozed_until="NULL"
        ),
        hides=frozenset({"owner_id", "id", "assignee_id", "snoozed_until"}),
    ),
    Part(
        "notes_about_them",
        "thread_notes",
        of_owner=f"(t.thread_id IN {_THREADS} OR t.body ~* {{words}})",
        becomes=_kept("id dealer_id thread_id staff_id mentions at", body="''"),
        hides=frozenset({"id", "thread_id", "staff_id", "mentions"}),
    ),
    Part(
        "answers_not_sent",
        "drafts",
        of_owner=f"(t.thread_id IN {_THREADS} OR t.body ~* {{words}})",
        becomes=_kept("dealer_id thread_id staff_id at", body="''"),
        hides=frozenset({"thread_id", "staff_id"}),
        order="at",
    ),
    Part(
        "texts_to_them",
        "messages",
        of_owner="t.owner_id = {owner}",
        becomes=_kept(
            "id dealer_id thread_id owner_id staff_id case_id kind purpose channel language reference attempts author "
            "queued_at due_at claimed_at retry_at sent_at",
            to_address="''",
            body="''",
            facts="'{{}}'",
            provider_id="NULL",
            reason=(
                "CASE WHEN t.state IN ('queued', 'claimed') THEN 'the owner was erased' WHEN t.reason IS NOT NULL "
                "THEN 'erased' END"
            ),
            state="CASE WHEN t.state IN ('queued', 'claimed') THEN 'cancelled' ELSE t.state END",
        ),
        hides=frozenset(
            {
                "thread_id",
                "owner_id",
                "staff_id",
                "facts",
                "provider_id",
                "reference",
                "attempts",
                "claimed_at",
                "retry_at",
            }
        ),
    ),
    Part(
        "notices_about_them",
        "messages",
        of_owner=f"t.staff_id IS NOT NULL AND (t.case_id IN {_CASES} OR t.body ~* {{words}})",
        becomes=_kept(
            "id dealer_id thread_id owner_id staff_id case_id kind purpose channel language reference attempts author "
            "queued_at due_at claimed_at retry_at sent_at to_address provider_id",
            facts="t.facts - 'words'",
            body="''",
            reason=MENTIONS,
            state="CASE WHEN t.state IN ('queued', 'claimed') THEN 'cancelled' ELSE t.state END",
        ),
        hides=frozenset(
            {
                "thread_id",
                "owner_id",
                "staff_id",
                "facts",
                "provider_id",
                "reference",
                "attempts",
                "claimed_at",
                "retry_at",
                "to_address",
            }
        ),
    ),
    Part(
        "texts_from_them",
        "replies",
        of_owner=f"(t.owner_id = {{owner}} OR t.from_address IN {_ADDRESSES} "
        "OR t.owner_id IS NULL AND t.body ~* {words})",
        becomes=_kept(
            "id dealer_id thread_id owner_id channel provider_id to_address understood received_at read_by",
            from_address="''",
            body="''",
            read_at="coalesce(t.read_at, {now})",
        ),
        hides=frozenset({"thread_id", "owner_id", "provider_id", "read_by"}),
    ),
    Part(
        "texts_on_the_demo_phone",
        "phone_texts",
        of_owner=f"(t.to_address IN {_ADDRESSES} OR t.from_address IN {_ADDRESSES} OR t.body ~* {{words}})",
        becomes=_kept("id dealer_id reference at", from_address="''", to_address="''", body="''"),
        hides=frozenset({"reference"}),
    ),
    Part(
        "cases",
        "cases",
        of_owner="t.owner_id = {owner}",
        becomes=_kept(
            "id dealer_id vehicle_id owner_id state severity origin assignee_id comebacks opened_at changed_at "
            "acknowledged_at escalated_at repaired_at proof confirmed healing snoozed_at snoozed_until",
            title=f"CASE WHEN t.origin = 'call' OR t.title ~* {{words}} THEN '{GONE}' ELSE t.title END",
            note="''",
        ),
        hides=frozenset({"owner_id", "assignee_id"}),
    ),
    Part(
        "alerts",
        "alerts",
        f"(t.case_id IN {_CASES} OR {_while_theirs('first_at')})",
        _kept(
            "id dealer_id vehicle_id rule rule_version component episode step state severity because first_at "
            "changed_at received_at case_id shadow late evidence spoke_at"
        ),
    ),
    Part(
        "alert_steps",
        "alert_steps",
        of_owner=_while_theirs("ts"),
        becomes=_kept(
            "dealer_id vehicle_id rule component episode step state severity because ts place rule_version late "
            "evidence"
        ),
        hides=frozenset({"evidence"}),
        order="ts, rule, step",
    ),
    Part(
        "offers",
        "offers",
        of_owner=f"t.case_id IN {_CASES}",
        becomes=_kept("id dealer_id case_id kind state made_by made_at expires_at"),
        hides=frozenset({"made_by"}),
    ),
    Part(
        "windows",
        "slots",
        of_owner=f"(t.offer_id IN {_OFFERS} OR t.booking_id IN {_BOOKINGS})",
        becomes=_kept("id dealer_id resource_id during state use offer_id choice booking_id expires_at"),
        hides=frozenset({"resource_id"}),
    ),
    Part(
        "visits",
        "bookings",
        f"t.case_id IN {_CASES}",
        _kept(
            "id dealer_id case_id vehicle_id kind state starts_at ends_at wall_start zone loaner_id ready_by "
            "last_word_at made_at",
            address="NULL",
            finding=MENTIONS,
        ),
    ),
    Part(
        "drives",
        "legs",
        of_owner=f"t.booking_id IN {_BOOKINGS}",
        becomes=_kept(
            "id dealer_id booking_id kind state driver_id slot_id starts_at ends_at changed_at "
            "travel_minutes travel_by",
            address="''",
            **dict.fromkeys(("place", "access_notes", "contact", "position", "position_at"), "NULL"),
        ),
        hides=frozenset({"driver_id", "slot_id", "position", "position_at"}),
    ),
    Part(
        "handovers",
        "handovers",
        of_owner=f"t.booking_id IN {_BOOKINGS}",
        becomes=_kept(
            "id dealer_id booking_id leg_id loaner_id kind key odometer_km energy energy_percent keys photos proof "
            "made_at recorded_at actor person hash",
            name="''",
            note="''",
            signature="'[]'",
            salt="NULL",
            marks="without their notes",
        ),
        hides=frozenset({"leg_id", "loaner_id", "key", "actor", "salt", "person"}),
        by_hand=True,
    ),
    Part(
        "photos",
        "handover_photos",
        of_owner=f"t.booking_id IN {_BOOKINGS}",
        becomes=_kept(
            "id dealer_id booking_id kind handover_id key view sha256 size width height stored_at",
            place="'', and the picture is gone",
        ),
        hides=frozenset({"key", "place"}),
        by_hand=True,
    ),
    Part(
        "witnesses",
        "witnesses",
        of_owner=f"t.booking_id IN {_BOOKINGS}",
        becomes=_kept(
            "id dealer_id booking_id leg_id since until messages distance_km minutes top_speed_kmh codes_before "
            "codes_after odd written_at seen_at seen_by"
        ),
        hides=frozenset({"leg_id", "seen_at", "seen_by"}),
    ),
    Part(
        "promises",
        "promises",
        of_owner=f"t.booking_id IN {_BOOKINGS}",
        becomes=_kept(
            "id dealer_id booking_id leg_id what due_at state made_at warned_at owner_told_at must_ring settled_at "
            "done_at"
        ),
        hides=frozenset({"leg_id", "warned_at", "must_ring"}),
    ),
    Part(
        "told_by_phone",
        "spoken_warnings",
        of_owner="t.owner_id = {owner}",
        becomes=_kept("id dealer_id case_id owner_id alert_ids staff_id at"),
        hides=frozenset({"id", "owner_id", "alert_ids", "staff_id"}),
    ),
    Part(
        "waits",
        "pauses",
        of_owner=f"t.booking_id IN {_BOOKINGS}",
        becomes=_kept("id dealer_id booking_id state awaits due_at made_at made_by over_at", what=MENTIONS),
        hides=frozenset({"made_by"}),
    ),
    Part(
        "extra_work",
        "estimate_lines",
        of_owner=f"t.booking_id IN {_BOOKINGS}",
        becomes=_kept(_LINE, title=MENTIONS),
        hides=frozenset({"answered_by"}),
    ),
    Part(
        "answers",
        "feedback",
        of_owner=f"(t.owner_id = {{owner}} OR t.case_id IN {_CASES})",
        becomes=_kept("case_id dealer_id owner_id asked_at answered_at score", words="NULL"),
        hides=frozenset({"owner_id"}),
        order="case_id",
    ),
    Part(
        "links",
        "secrets",
        of_owner=f"""(t.owner_id = {{owner}} OR t.purpose = 'offer' AND t.subject_id IN {_OFFERS}
        OR t.purpose = 'journey' AND t.subject_id IN {_BOOKINGS}
        OR t.purpose = 'driver' AND t.subject_id IN {_LEGS}
        OR t.purpose IN ('feedback', 'preferences') AND t.subject_id IN {_CASES})""",
        becomes=_kept(
            "hash dealer_id purpose staff_id owner_id vehicle_id subject_id label created_at expires_at used_at scopes "
            "last_used_at",
            revoked_at="coalesce(t.revoked_at, {now})",
        ),
        hides=frozenset({"hash", "staff_id", "owner_id", "label", "scopes", "last_used_at"}),
        order="created_at, hash",
    ),
    Part(
        "refused_messages",
        "quarantine",
        of_owner=_while_theirs("received_at"),
        becomes=_kept(
            "id dealer_id vehicle_id vin topic reason detail boot seq times received_at decided decided_by decided_at "
            "folded_at taken_back_at",
            payload="''",
        ),
        hides=frozenset({"payload", "decided_by", "boot", "seq", "folded_at", "taken_back_at"}),
        shows={"said": "encode(t.payload, 'escape')"},
    ),
    Part(
        "gaps",
        "gaps",
        _while_theirs("opened_at"),
        _kept("id dealer_id vehicle_id boot first_seq last_seq opened_at asked closed_at outcome"),
    ),
    Part(
        "what_happened",
        "history",
        of_owner=THINGS,
        becomes=_kept("id dealer_id noun subject_id old new actor at", reason="taken out, its keyed hash stays"),
        hides=frozenset({"actor"}),
        by_hand=True,
    ),
    Part(
        "contact",
        "owners",
        "t.id = {owner}",
        _kept(
            "id dealer_id channel language zone quiet_from quiet_to created_at",
            name="'Erased owner ' || t.id",
            phone="NULL",
            email="NULL",
            address="NULL",
            place="NULL",
            access_notes="NULL",
            contact="NULL",
            stopped_at="coalesce(t.stopped_at, {now})",
            erased_at="{now}",
        ),
    ),
)
