"""Logs carry no personal data, by name and by shape."""

from __future__ import annotations

from telltale.logs import without_personal_data


def test_private_facts_and_phone_numbers_are_dropped() -> None:
    event = without_personal_data(None, "info", {"event": "sent to +49 170 1234567", "phone": "+491701234567", "case": 7})
    assert event == {"event": "sent to (number)", "phone": "(private)", "case": 7}
