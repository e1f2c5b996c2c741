"""The tables that say nothing of an owner, and why: an export shows nothing of them, and an erasure leaves them."""

from __future__ import annotations

from typing import Final

#: Tables that say nothing of an owner, and why.
OTHERS: Final = {
    "readings": "by car, not by person: a file of its own in an export; "
    "an erasure takes where the car was out of what came while it was theirs (store/erasing.py)",
    "latest": "by car: shown with the car; an erasure takes where the car was out of it (store/erasing.py)",
    "idempotency": "answers of the API, forgotten after 30 days; "
    "an erasure deletes those that mention the person (store/erasing.py)",
    "reading_values": "readings, seen otherwise",
    "checkpoints": "what rules remember of a car: no position is among it",
    "detached_days": "days, no rows",
    "wakeups": "numbers of things",
    "tallies": "counts by car and rule",
    "kept_days": "days and counts",
    "keeping_runs": "counts",
    "unit_corrections": "by car: in which units it says what it says, and which of the dealer's people accepted that",
    "readings_imports": "names of files and counts; of a refused cell its car and its value",
    "feeds": "the house: where a dealer's feeds come from",
    "feed_cars": "by car: what a feed calls it (in a topic of OVMS a name that its owner chose)",
    "feed_messages": "by car, until they are readings: seconds",
    "audit_seals": "keyed hashes",
    "audit_heads": "keyed hashes",
    "audit_starts": "keyed hashes",
    "audit_removals": "keyed hashes of words that went",
    "wrong_numbers": "keyed hashes of numbers and names: a wrong number is not written down again",
    "stops": "keyed hashes of numbers and mailboxes, so that a STOP outlives an erasure",
    "dealers": "the house",
    "search_words": "words of what stands in owners and vehicles, kept by the database: they change and go with it",
    "quick_replies": "answers that are ready: of nobody",
    "first_steps": "the house",
    "saved_views": "the dealer's people",
    "resources": "bays, loaners and drivers",
    "senders": "the dealer's own numbers",
    "staff": "the dealer's people",
    "absences": "the dealer's people",
    "sign_ins": "the dealer's people",
    "sessions": "the dealer's people",
    "devices": "the dealer's people",
    "attempts": "keyed digests",
    "authenticators": "the dealer's people",
    "passkeys": "the dealer's people",
    "recovery_codes": "the dealer's people",
    "clock": "the house",
    "house_key": "the house",
    "leases": "the house",
    "migration_checksums": "the house",
    "schema_migrations": "the house",
    "retention_word": "the house",
    "rule_stages": "the house",
}
