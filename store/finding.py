"""Cars and owners by any word of theirs. Words are folded and kept by the database (migration 0058), and what is asked
is folded there too, so that both sides agree on what is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from store.pool import Connection, as_dict

MOST = 1_000  #: who finds more has asked for too little
END = 4  #: that many letters of the end of a number or a VIN say enough
_LAST = chr(0x10FFFF)  #: behind every word that begins alike
_SPREAD = 5_000  #: rows of the rarest word that are looked through
_FOLDED = """
SELECT ARRAY(SELECT DISTINCT word FROM unnest($1::text[]) AS said, split_up(spelt_out(said)) AS word),
  ARRAY(SELECT joined(said) FROM unnest($2::text[]) AS said)
"""
#: Half-open ranges of words with both ends given: so row-level security lets an index answer (LIKE it does not), and
#: the planner knows how rare a word is. $1 dealer, $2 whose words beside a car's own, $3 what is meant to the letter,
#: $4 limit.
_BEGINS = "w.dealer_id = $1 AND w.word >= ${} AND w.word < ${}"
_ARGUMENTS = 4
_FIRST = (
    "(SELECT w.noun, w.subject_id, w.word = ANY ($3::text[]) AS whole FROM search_words w WHERE {} AND {} LIMIT {})"
)
_HAS = "EXISTS (SELECT 1 FROM search_words w WHERE {} AND {})"
_A_CAR_S, _AN_OWNER_S = "w.noun = 'vehicle'", "w.noun = ANY ($2::text[])"
_VEHICLES = """
WITH first AS MATERIALIZED ({first})
SELECT v.id FROM (
    SELECT v.id, v.owner_id, v.title, f.whole FROM first f JOIN vehicles v ON v.dealer_id = $1 AND v.id = f.subject_id
      WHERE f.noun = 'vehicle'
    UNION ALL
    SELECT v.id, v.owner_id, v.title, f.whole FROM first f
      JOIN vehicles v ON v.dealer_id = $1 AND v.owner_id = f.subject_id WHERE f.noun <> 'vehicle') AS v
WHERE {rest} GROUP BY v.id, v.title ORDER BY bool_or(v.whole) DESC, v.title, v.id LIMIT $4
"""
_OWNERS = """
WITH first AS MATERIALIZED ({first})
SELECT o.id FROM first f JOIN owners o ON o.dealer_id = $1 AND o.id = f.subject_id
WHERE {rest} GROUP BY o.id, o.name ORDER BY bool_or(f.whole) DESC, o.name, o.id LIMIT $4
"""
_CASES = """
SELECT c.id, c.state, c.severity, c.title, v.title AS vehicle, v.plate FROM cases c
JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
WHERE c.dealer_id = $1 AND (c.id = $2 OR c.vehicle_id = ANY ($3::bigint[]) AND c.state NOT IN ('done', 'dismissed')
  OR c.id IN (SELECT a.case_id FROM alerts a WHERE a.dealer_id = $1 AND a.rule = 'trouble_code' AND a.state = 'active'
    AND NOT a.shadow AND left(a.component, 5) = $4))
ORDER BY c.id = $2 DESC, array_position(ARRAY['now', 'soon', 'advice'], c.severity), c.opened_at, c.id LIMIT $5
"""
_FILL = """
WITH bare AS (
    SELECT v.id, v.dealer_id, v.title, v.plate, v.vin FROM vehicles v WHERE NOT EXISTS (SELECT 1 FROM search_words w
      WHERE w.dealer_id = v.dealer_id AND w.noun = 'vehicle' AND w.subject_id = v.id) LIMIT $1),
  unnamed AS (
    SELECT o.id, o.dealer_id, o.name, o.phone, o.email FROM owners o WHERE NOT EXISTS (
        SELECT 1 FROM search_words w WHERE w.dealer_id = o.dealer_id AND w.noun = 'owner' AND w.subject_id = o.id)
      AND EXISTS (SELECT 1 FROM words_of(o.name)) LIMIT $1)
INSERT INTO search_words (dealer_id, word, noun, subject_id)
  SELECT dealer_id, word, 'vehicle', id FROM bare, words_of_vehicle(title, plate, vin) AS word
  UNION SELECT dealer_id, word, 'owner', id FROM unnamed, words_of(name) AS word
  UNION SELECT dealer_id, word, 'reach', id FROM unnamed, words_of_reach(phone, email) AS word
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Words:
    """What is looked for, folded: `whole` is all of it as one word, in each way in which it may be meant."""

    each: tuple[str, ...]
    whole: tuple[str, ...]


async def folded(connection: Connection, words: Sequence[str], wholes: Sequence[str]) -> Words:
    """As they stand among the words: `words` one by one, `wholes` without what stands between."""
    row = await connection.fetchrow(_FOLDED, list(words), list(wholes))
    assert row is not None
    return Words(tuple(row[0]), tuple(word for word in row[1] if not word.startswith(":") or len(word) > END))


async def vehicles(
    connection: Connection, dealer_id: int, words: Words, nouns: Sequence[str], *, limit: int = MOST
) -> list[int]:
    """Cars whose own words, or whose owner's as far as `nouns` says, begin with all that is asked; or with it as one
    word, as plates are written. Whoever is meant to the letter comes first.
    """
    return await _found(connection, dealer_id, words=words, nouns=nouns, limit=limit, cars=True)


async def owners(
    connection: Connection, dealer_id: int, words: Words, nouns: Sequence[str], *, limit: int = MOST
) -> list[int]:
    """The same of owners."""
    return await _found(connection, dealer_id, words=words, nouns=nouns, limit=limit, cars=False)


async def cases(
    connection: Connection,
    dealer_id: int,
    *,
    case_id: int | None,
    code: str | None,
    vehicle_ids: Sequence[int],
    limit: int,
) -> list[dict[str, Any]]:
    """The case of that number, what is open about these cars, and who has that trouble code now."""
    rows = await connection.fetch(_CASES, dealer_id, case_id or 0, list(vehicle_ids), code or "-", limit)
    return [as_dict(row) for row in rows]


async def _found(
    connection: Connection, dealer_id: int, *, words: Words, nouns: Sequence[str], limit: int, cars: bool
) -> list[int]:
    ids: dict[int, None] = {}
    looks: list[tuple[Sequence[str], Sequence[str]]] = [(words.whole, ())] if words.whole else []
    if words.each and not set(words.each) <= set(words.whole):  # a single word without an umlaut was looked for already
        first, *rest = sorted(words.each, key=len, reverse=True)
        looks.append(((first,), rest))
    for one_of, all_of in looks:
        ends = [end for word in (*one_of, *all_of) for end in (word, word + _LAST)]
        rows = await connection.fetch(
            _query(cars, len(one_of), len(all_of)), dealer_id, list(nouns), list(one_of), limit, *ends
        )
        ids |= dict.fromkeys(row["id"] for row in rows)
    return list(ids)[:limit]


@cache
def _query(cars: bool, one_of: int, all_of: int) -> str:
    """The search for that many words of which one must fit, and that many which all must."""
    begins = [_BEGINS.format(n, n + 1) for n in range(_ARGUMENTS + 1, _ARGUMENTS + 1 + 2 * (one_of + all_of), 2)]
    whose = [_A_CAR_S, _AN_OWNER_S] if cars else [_AN_OWNER_S]
    first = " UNION ALL ".join(_FIRST.format(one, who, _SPREAD) for one in begins[:one_of] for who in whose)
    mine = [f"{_A_CAR_S} AND w.subject_id = v.id", f"{_AN_OWNER_S} AND w.subject_id = v.owner_id"]
    mine = mine if cars else [f"{_AN_OWNER_S} AND w.subject_id = o.id"]
    rest = [f"({' OR '.join(_HAS.format(one, who) for who in mine)})" for one in begins[one_of:]]
    return (_VEHICLES if cars else _OWNERS).format(first=first, rest=" AND ".join(rest) or "true")


async def fill(connection: Connection, limit: int) -> int:
    """Words for cars and owners that were there before the words were: how many were written."""
    return int((await connection.execute(_FILL, limit)).rpartition(" ")[2])
