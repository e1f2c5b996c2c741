"""The limits of the month's dealer, and the hours of its technicians: what may never be."""

from __future__ import annotations

from proofs.month.dealership import LIMITS
from rules.service.places import LOANER, day_limits

_MOST = ", ".join(f"('{what}', {limit.most})" for what, limit in day_limits(LIMITS).items())
#: Beside the sentences of proofs.month.truths; `$1` is the dealer.
TRUTHS = {
    "a day has more visits of a kind than the house takes": f"""
        WITH visits AS (
            SELECT kind, starts_at, loaner_id IS NOT NULL AS loaner FROM bookings
            WHERE dealer_id = $1 AND state <> 'cancelled'
            UNION ALL
            SELECT o.kind, min(lower(s.during)), bool_or(s.use = 'loaner') FROM slots s
            JOIN offers o ON o.dealer_id = s.dealer_id AND o.id = s.offer_id
            WHERE s.dealer_id = $1 AND s.state = 'held' GROUP BY o.id, o.kind, s.choice
        ), used AS (
            SELECT kind AS what, (starts_at AT TIME ZONE 'Europe/Berlin')::date AS day FROM visits
            UNION ALL
            SELECT '{LOANER}', (starts_at AT TIME ZONE 'Europe/Berlin')::date FROM visits WHERE loaner
        )
        SELECT u.what || ' ' || u.day FROM used u JOIN (VALUES {_MOST}) l (what, most) ON l.what = u.what
        GROUP BY u.what, u.day, l.most HAVING count(*) > l.most""",
    "work is planned for a technician who is away then": """
        SELECT s.id FROM slots s JOIN resources r ON r.dealer_id = s.dealer_id AND r.id = s.resource_id
        JOIN absences a ON a.dealer_id = s.dealer_id AND a.staff_id = r.staff_id AND a.ended_at IS NULL
        WHERE s.dealer_id = $1 AND s.use = 'labour' AND s.state = 'booked'
        AND s.during && tstzrange(a.starts_at, a.ends_at) AND upper(s.during) > a.made_at
        AND NOT EXISTS (SELECT 1 FROM legs l WHERE l.dealer_id = $1 AND l.booking_id = s.booking_id
                        AND l.state IN ('on_the_way', 'at_car') AND l.kind = 'visit')""",
    "a technician is to come to a car, and nobody is on the way, planned or asked for": """
        SELECT b.id FROM bookings b WHERE b.dealer_id = $1 AND b.kind = 'mobile_repair' AND b.state = 'agreed'
        AND NOT EXISTS (SELECT 1 FROM legs l WHERE l.dealer_id = $1 AND l.booking_id = b.id AND l.kind = 'visit'
                        AND l.state IN ('planned', 'on_the_way'))""",
    "a technician works at a car, and the visit knows nothing of it": """
        SELECT l.id FROM legs l JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id
        WHERE l.dealer_id = $1 AND l.state = 'at_car' AND b.state <> 'working'""",
    "a car is repaired where it stands by work that its technician's hours do not know": """
        SELECT l.id FROM legs l WHERE l.dealer_id = $1 AND l.kind = 'visit' AND l.state = 'planned'
        AND l.driver_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM slots s JOIN resources r
            ON r.dealer_id = s.dealer_id AND r.id = s.resource_id WHERE s.dealer_id = $1
            AND s.booking_id = l.booking_id AND s.use = 'labour' AND s.state = 'booked'
            AND r.staff_id = l.driver_id)""",
    "work is planned for a technician who left": """
        SELECT s.id FROM slots s JOIN resources r ON r.dealer_id = s.dealer_id AND r.id = s.resource_id
        WHERE s.dealer_id = $1 AND s.use = 'labour' AND s.state <> 'released' AND upper(s.during) > r.retired_at""",
}
