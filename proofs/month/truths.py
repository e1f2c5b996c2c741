"""What must hold after every step of the month, in words; each query finds the rows that break its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from proofs.month import handing, mailing, nearing, places
from proofs.month.acts import workshop
from proofs.month.dealership import Dealership
from schemas.message import Message, MessageKind
from schemas.moment import local
from store import message_validity
from store.undrivable import FORBIDS
from workers.context import ABOUT_THE_LINE

_CASE_OF = (
    "FROM bookings b JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id "
    "JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id"
)
_LEG_OF = "FROM legs l JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id"

#: Between any two acts. `$1` is the dealer.
ALWAYS: Mapping[str, str] = {
    "a piece of somebody's time is given away twice": """
        SELECT a.id FROM slots a JOIN slots b ON a.id < b.id AND a.resource_id = b.resource_id AND a.during && b.during
        WHERE a.dealer_id = $1 AND a.state <> 'released' AND b.state <> 'released'""",
    "a case is booked, and there is no visit": """
        SELECT c.id FROM cases c WHERE c.dealer_id = $1 AND c.state = 'booked'
        AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.dealer_id = $1 AND b.case_id = c.id AND b.state = 'agreed')""",
    "a visit is agreed, and its case knows nothing of it": f"""
        SELECT b.id {_CASE_OF} WHERE b.dealer_id = $1 AND b.state = 'agreed' AND c.state <> 'booked'""",
    "a car is in the building, and its case is nobody's work": f"""
        SELECT b.id {_CASE_OF} WHERE b.dealer_id = $1 AND b.state IN ('arrived', 'working')
          AND c.state <> 'in_workshop'""",
    "a case is in the workshop, and no car is": """
        SELECT c.id FROM cases c WHERE c.dealer_id = $1 AND c.state = 'in_workshop'
        AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.dealer_id = $1 AND b.case_id = c.id
          AND b.state IN ('arrived', 'working'))""",
    "a car that must not be driven was collected by driving it": f"""
        SELECT l.id {_LEG_OF} JOIN history h ON h.dealer_id = l.dealer_id AND h.noun = 'leg' AND h.subject_id = l.id
          AND h.new = 'collected'
        JOIN alerts a ON a.dealer_id = b.dealer_id AND a.vehicle_id = b.vehicle_id
        WHERE l.dealer_id = $1 AND b.kind <> 'tow' AND {FORBIDS} AND a.changed_at < h.at""",
    "a driver has a customer's car, and the visit is over": f"""
        SELECT l.id {_LEG_OF} WHERE l.dealer_id = $1 AND l.state = 'collected' AND b.state <> 'agreed'""",
    "a car that we collected is ready, and nobody will bring it back": f"""
        SELECT b.id {_CASE_OF} WHERE b.dealer_id = $1 AND b.kind IN ('pickup', 'tow')
          AND b.state IN ('arrived', 'working', 'ready')
        AND EXISTS (SELECT 1 FROM legs l WHERE l.dealer_id = $1 AND l.booking_id = b.id AND l.kind = 'collect'
          AND l.state = 'at_workshop')
        AND NOT EXISTS (SELECT 1 FROM legs l WHERE l.dealer_id = $1 AND l.booking_id = b.id AND l.kind = 'return'
          AND l.state <> 'cancelled')""",
    "a car is to be collected, and no drive is left that does it": f"""
        SELECT b.id {_CASE_OF} WHERE b.dealer_id = $1 AND b.kind IN ('pickup', 'tow') AND b.state = 'agreed'
        AND NOT EXISTS (SELECT 1 FROM legs l WHERE l.dealer_id = $1 AND l.booking_id = b.id AND l.kind = 'collect'
          AND l.state <> 'cancelled')""",
    "a visit is over, and a drive of it is not": f"""
        SELECT l.id {_LEG_OF} WHERE l.dealer_id = $1 AND b.state IN ('cancelled', 'completed')
          AND l.state NOT IN ('cancelled', 'at_workshop', 'handed_over')""",
    "a visit is over, and its time is still taken": """
        SELECT s.id FROM slots s JOIN bookings b ON b.dealer_id = s.dealer_id AND b.id = s.booking_id
        WHERE s.dealer_id = $1 AND s.state = 'booked' AND b.state IN ('cancelled', 'completed')""",
    "time is held for an offer that is over": """
        SELECT s.id FROM slots s JOIN offers o ON o.dealer_id = s.dealer_id AND o.id = s.offer_id WHERE s.dealer_id = $1
          AND s.state = 'held' AND o.state <> 'open'""",
    "a case waits for an answer, and nothing was asked": """
        SELECT c.id FROM cases c WHERE c.dealer_id = $1 AND c.state = 'contacted'
        AND NOT EXISTS (SELECT 1 FROM offers o WHERE o.dealer_id = $1 AND o.case_id = c.id AND o.state = 'open')""",
    "open work on a car is for somebody who does not own it": """
        SELECT c.id FROM cases c JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
        WHERE c.dealer_id = $1 AND c.state IN ('open', 'contacted', 'booked', 'in_workshop') AND v.owner_id IS DISTINCT
          FROM c.owner_id""",
    "somebody who does not own the car has its offer": """
        SELECT o.id FROM offers o JOIN cases c ON c.dealer_id = o.dealer_id AND c.id = o.case_id
          JOIN vehicles v ON v.dealer_id = o.dealer_id AND v.id = c.vehicle_id
        WHERE o.dealer_id = $1 AND o.state = 'open' AND v.owner_id IS DISTINCT FROM c.owner_id""",
    "somebody who does not own the car has its visit": f"""
        SELECT b.id {_CASE_OF} WHERE b.dealer_id = $1 AND b.state NOT IN ('cancelled', 'completed')
          AND v.owner_id IS DISTINCT FROM c.owner_id""",
    "an offer or a visit is another's than who was told of it": """
        SELECT m.id FROM messages m JOIN cases c ON c.dealer_id = m.dealer_id AND c.id = m.case_id
          WHERE m.dealer_id = $1 AND m.owner_id <> c.owner_id AND (
            m.kind = 'offer' AND EXISTS (SELECT 1 FROM offers o WHERE o.dealer_id = $1 AND o.case_id = c.id
              AND o.state = 'open'
                                         AND m.facts->'asserts' @> jsonb_build_array(jsonb_build_object('noun', 'offer',
                                           'id', o.id)))
            OR m.kind = 'booked' AND EXISTS (SELECT 1 FROM bookings b WHERE b.dealer_id = $1 AND b.case_id = c.id
              AND b.state NOT IN ('cancelled', 'completed')
                                             AND m.facts->'asserts' @> jsonb_build_array(jsonb_build_object('noun',
                                               'booking', 'id', b.id))))""",
    "a drive is the task of somebody who left": """
        SELECT l.id FROM legs l JOIN staff s ON s.dealer_id = l.dealer_id AND s.id = l.driver_id
        WHERE l.dealer_id = $1 AND s.disabled_at IS NOT NULL
          AND l.state NOT IN ('cancelled', 'at_workshop', 'handed_over')""",
    "a drive is planned for somebody who is away then": """
        SELECT l.id FROM legs l JOIN absences a ON a.dealer_id = l.dealer_id AND a.staff_id = l.driver_id
        WHERE l.dealer_id = $1 AND a.ended_at IS NULL AND l.state = 'planned' AND l.starts_at < a.ends_at
          AND a.starts_at < l.ends_at""",
    "a case is the task of somebody who left": """
        SELECT c.id FROM cases c JOIN staff s ON s.dealer_id = c.dealer_id AND s.id = c.assignee_id
        WHERE c.dealer_id = $1 AND s.disabled_at IS NOT NULL AND c.state NOT IN ('done', 'dismissed')""",
    "a visit was called off without a word to its owner": """
        SELECT b.id FROM bookings b JOIN messages m ON m.dealer_id = b.dealer_id AND m.case_id = b.case_id
          AND m.kind = 'booked' AND m.state IN ('sent', 'delivered')
            AND m.facts->'asserts' @> jsonb_build_array(jsonb_build_object('noun', 'booking', 'id', b.id))
        WHERE b.dealer_id = $1 AND b.state = 'cancelled' AND (m.owner_id, b.id) NOT IN (
            SELECT n.owner_id, (said->>'id')::bigint FROM messages n, jsonb_array_elements(n.facts->'asserts') AS said
            WHERE n.dealer_id = $1 AND n.owner_id IS NOT NULL AND n.kind IN ('cancelled', 'sold')
            AND said->>'noun' = 'booking')
        AND EXISTS (SELECT 1 FROM owners o WHERE o.dealer_id = $1 AND o.id = m.owner_id AND CASE o.channel
          WHEN 'email' THEN o.email ELSE o.phone END IS NOT NULL)""",
    "a car is still theirs who said that they sold it": """
        SELECT r.id FROM replies r JOIN ownerships o ON o.dealer_id = r.dealer_id AND o.owner_id = r.owner_id
        WHERE r.dealer_id = $1 AND r.understood = 'sold' AND o.until IS NULL AND o.since < r.received_at""",
    "who sold their car hears twice that its visit is cancelled": """
        SELECT m.id FROM messages m JOIN messages n ON n.dealer_id = m.dealer_id AND n.owner_id = m.owner_id
          AND n.kind = 'cancelled' AND n.facts->'asserts' <@ (m.facts->'asserts')
        WHERE m.dealer_id = $1 AND m.kind = 'sold' AND jsonb_array_length(n.facts->'asserts') > 0""",
    "a number that is not the owner's stands in a row of that name": """
        SELECT o.id FROM replies r JOIN owners w ON w.dealer_id = r.dealer_id AND w.id = r.owner_id
        JOIN owners o ON o.dealer_id = r.dealer_id AND o.name = w.name AND o.phone = r.from_address
        WHERE r.dealer_id = $1 AND r.understood = 'wrong'
        AND NOT EXISTS (SELECT 1 FROM replies s WHERE s.dealer_id = $1 AND s.from_address = r.from_address
          AND s.understood = 'start' AND s.id > r.id)""",
    "a number that is not the owner's is written to": """
        SELECT m.id FROM messages m JOIN replies r ON r.dealer_id = m.dealer_id AND r.owner_id = m.owner_id
          AND r.from_address = m.to_address AND r.understood = 'wrong'
        WHERE m.dealer_id = $1 AND m.kind <> 'wrong' AND m.state IN ('sent', 'delivered')
          AND m.sent_at > r.received_at""",
    **handing.TRUTHS,
    **mailing.TRUTHS,
    **workshop.TRUTHS,
    **places.TRUTHS,
    **nearing.TRUTHS,
}
#: Once the workers have done what is due; `$2` is the time.
SETTLED: Mapping[str, str] = {
    "an owner's answer is waited for, who was never asked and will not be": """
        SELECT o.id FROM offers o WHERE o.dealer_id = $1 AND o.state = 'open' AND NOT EXISTS (
            SELECT 1 FROM messages m WHERE m.dealer_id = $1 AND m.case_id = o.case_id AND m.kind = 'offer'
            AND m.facts->'asserts' @> jsonb_build_array(jsonb_build_object('noun', 'offer', 'id', o.id))
            AND (m.state IN ('sent', 'delivered', 'claimed') OR (m.state = 'queued' AND m.due_at < o.expires_at)))""",
    "an owner who was never asked is said not to have answered": """
        SELECT o.id FROM offers o JOIN history h ON h.dealer_id = o.dealer_id AND h.noun = 'offer'
          AND h.subject_id = o.id AND h.reason LIKE '%did not answer%'
        WHERE o.dealer_id = $1 AND o.state = 'expired' AND NOT EXISTS (
            SELECT 1 FROM messages m WHERE m.dealer_id = $1 AND m.case_id = o.case_id AND m.kind = 'offer'
              AND (m.state IN ('sent', 'delivered') OR EXISTS (SELECT 1 FROM history f WHERE f.dealer_id = $1
                AND f.noun = 'message' AND f.subject_id = m.id AND f.new = 'failed' AND f.old = 'sent'
                AND f.at >= h.at))  -- it came back later than that was said
            AND m.facts->'asserts' @> jsonb_build_array(jsonb_build_object('noun', 'offer', 'id', o.id)))""",
    "a promise was broken in silence": """
        SELECT p.id FROM promises p WHERE p.dealer_id = $1 AND p.what <> 'bring' AND NOT p.must_ring
        AND (p.state = 'broken' OR (p.state = 'open' AND p.due_at < $2)) AND (p.owner_told_at IS NULL
          OR p.owner_told_at > p.due_at)""",
    "an owner who agreed is left not knowing that their car must not be driven on": f"""
        SELECT a.id FROM alerts a JOIN vehicles v ON v.dealer_id = a.dealer_id AND v.id = a.vehicle_id
          JOIN owners o ON o.dealer_id = v.dealer_id AND o.id = v.owner_id
        WHERE a.dealer_id = $1 AND {FORBIDS} AND NOT a.late
          AND o.stopped_at IS NULL
        AND (SELECT given FROM consents s WHERE s.dealer_id = $1 AND s.owner_id = o.id AND s.purpose = 'safety'
          ORDER BY s.id DESC LIMIT 1)
        AND coalesce(o.phone, o.email) IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.dealer_id = $1 AND b.vehicle_id = v.id
          AND (b.state IN ('arrived', 'working', 'ready')
            OR b.state = 'agreed' AND EXISTS (SELECT 1 FROM legs l WHERE l.dealer_id = $1 AND l.booking_id = b.id
              AND l.kind = 'collect' AND l.state = 'collected')))
        AND NOT EXISTS (SELECT 1 FROM spoken_warnings w WHERE w.dealer_id = $1 AND w.owner_id = o.id
          AND a.id = ANY (w.alert_ids))
        AND NOT EXISTS (SELECT 1 FROM messages m JOIN cases c ON c.dealer_id = m.dealer_id AND c.id = m.case_id
          WHERE m.dealer_id = $1 AND m.owner_id = o.id AND c.vehicle_id = v.id AND m.kind = 'safety'
            AND m.state = 'failed' AND m.id = ANY (ARRAY({mailing.ASKED_TO_RING})))  -- it came back hours later
        AND NOT EXISTS (SELECT 1 FROM messages m JOIN cases c ON c.dealer_id = m.dealer_id AND c.id = m.case_id
          WHERE m.dealer_id = $1 AND m.owner_id = o.id
            AND c.vehicle_id = v.id AND m.kind = 'safety' AND m.state IN ('sent', 'delivered')
            AND NOT EXISTS (SELECT 1 FROM messages n WHERE n.dealer_id = $1 AND n.owner_id = o.id
              AND n.case_id = m.case_id AND n.kind = 'safety_over'
                AND n.state IN ('sent', 'delivered') AND n.sent_at > m.sent_at))""",
    "a warning is repeated that nothing has taken back": """
        SELECT m.id FROM messages m JOIN messages n ON n.dealer_id = m.dealer_id AND n.owner_id = m.owner_id
          AND n.case_id = m.case_id AND n.kind = 'safety' AND n.id > m.id
            AND n.body = m.body AND n.sent_at < m.sent_at + interval '6 hours'
        WHERE m.dealer_id = $1 AND m.kind = 'safety' AND m.state IN ('sent', 'delivered')
          AND n.state IN ('sent', 'delivered')
        AND NOT EXISTS (SELECT 1 FROM messages o WHERE o.dealer_id = $1 AND o.owner_id = m.owner_id
          AND o.kind = 'safety_over' AND o.sent_at BETWEEN m.sent_at AND n.sent_at)""",
    **mailing.SETTLED,
    "work was put off again and again": """
        SELECT topic || ' ' || coalesce(failed, '') FROM wakeups WHERE dealer_id = $1 AND attempts >= 3""",
}
_WHOSE = """
SELECT v.owner_id FROM cases c JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
  WHERE c.dealer_id = $1 AND c.id = $2
"""
_WHEN = {
    "booking": "SELECT starts_at FROM bookings WHERE dealer_id = $1 AND id = $2",
    "offer": "SELECT lower(during) AS starts_at FROM slots WHERE dealer_id = $1 AND offer_id = $2",
}
_LEFT = "SELECT disabled_at IS NOT NULL FROM staff WHERE dealer_id = $1 AND id = $2"
_DRIVES = "SELECT driver_id FROM legs WHERE dealer_id = $1 AND id = $2"
#: Words of a day, by how many days it is ahead.
_DAYS = {"today": 0, "tomorrow": 1, "heute": 0, "hoy": 0}


async def broken(place: Dealership, truths: Mapping[str, str]) -> list[tuple[str, str]]:
    """(sentence, which) of everything that does not hold now and was not said before."""
    union = " UNION ALL ".join(
        f"SELECT {n} AS n, id::text FROM ({query}) AS q{n} (id)" for n, query in enumerate(truths.values())
    )
    if union not in place.asked:
        # Asked after every act: to plan its fifty queries anew took longer than to answer them.
        await place.watcher.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")
        place.asked[union] = await place.watcher.prepare(union)
    sentences, found = list(truths), []
    at = [place.clock()] if "$2" in union else []
    for row in await place.asked[union].fetch(place.dealer.id, *at):
        sentence = sentences[row["n"]]
        if f"{sentence} {row['id']}" not in place.known:
            place.known.add(f"{sentence} {row['id']}")
            found.append((sentence, f"{row['id']}"))
    return found


async def lies(place: Dealership, came: Message) -> list[tuple[str, str]]:
    """What is wrong about a text that has just reached its reader; called in the same minute."""
    found: list[tuple[str, str]] = []
    async with place.admin.acquire() as connection:
        if came.staff_id is not None and await connection.fetchval(_LEFT, place.dealer.id, came.staff_id):
            found.append(("somebody who left gets our notices", came.reference))
        about_the_car = came.owner_id is not None and came.case_id is not None and came.kind not in ABOUT_THE_LINE
        if about_the_car and await connection.fetchval(_WHOSE, place.dealer.id, came.case_id) != came.owner_id:
            found.append(("somebody reads about a car that is not theirs", came.reference))
        false = await message_validity.untrue(connection, place.dealer.id, came.facts.get("asserts", ()), place.clock())
        if false is not None:
            found.append(("a text says what is no longer so", f"{came.reference}: {false}"))
        for assertion in came.facts.get("asserts", ()):
            if (
                came.kind is MessageKind.STAFF_LEG
                and await connection.fetchval(_DRIVES, place.dealer.id, assertion["id"]) != came.staff_id
            ):
                found.append(("a driver is sent on another's drive", came.reference))
            if assertion["noun"] in _WHEN and (came.kind is not MessageKind.CANCELLED):
                rows = await connection.fetch(_WHEN[assertion["noun"]], place.dealer.id, assertion["id"])
                found += _wrong_day(place, came, [local(row["starts_at"], place.dealer.zone).date() for row in rows])
    return found


def _wrong_day(place: Dealership, came: Message, days: list[object]) -> list[tuple[str, str]]:
    """A word like "tomorrow" must be true on the day on which it is read; what is ready or comes back has times of its
    own.
    """
    if came.kind not in (MessageKind.OFFER, MessageKind.BOOKED, MessageKind.REMINDER):
        return []
    today = local(place.clock(), place.dealer.zone).date()
    words = set(came.body.lower().replace(":", " ").replace(",", " ").split())
    return [
        (f"a text says {word!r} of another day", f"{came.reference}: {came.body}")
        for word, ahead in _DAYS.items()
        if word in words and today + timedelta(days=ahead) not in days
    ]
