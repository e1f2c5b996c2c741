"""The addresses that we send to people: one place says which page a link opens. Pure."""

from __future__ import annotations

from typing import Literal

#: What a secret link opens.
Opens = Literal["offer", "journey", "driver", "feedback", "invitation", "reset", "calendar"]

#: /o/{token} the owner's offer and journey, /d/{token} the driver's leg, /f/{token} feedback, /invitation/{token} a new
#: colleague, /reset/{token} a new password.
PREFIXES: dict[Opens, str] = {
    "offer": "o",
    "journey": "o",
    "driver": "d",
    "feedback": "f",
    "invitation": "invitation",
    "reset": "reset",
    "calendar": "calendar",
}


def secret(base_url: str, opens: Opens, token: str) -> str:
    """The address that `token` opens, for whoever holds it."""
    return _page(base_url, f"{PREFIXES[opens]}/{token}")


def end_of_mails(base_url: str, token: str) -> str:
    """The page of a mail that ends them all, in one press (`rules.service.letters`)."""
    return _page(base_url, f"u/{token}")


def case(base_url: str, case_id: int | None) -> str:
    """A case at the desk; the queue where there is none."""
    return _page(base_url, "queue" if case_id is None else f"cases/{case_id}")


def conversation(base_url: str, owner_id: int) -> str:
    """The conversation with an owner, in the house's inbox."""
    return _page(base_url, f"inbox/{owner_id}")


def waiting(base_url: str) -> str:
    """The desk's page of the customers who wait."""
    return _page(base_url, "waiting")


def trials(base_url: str) -> str:
    """The desk's page of what rules on trial have found."""
    return _page(base_url, "trials")


def another_time(base_url: str, booking_id: int) -> str:
    """The desk's page on which a visit gets another time, with the words for its owner drafted."""
    return _page(base_url, f"bookings/{booking_id}/time")


def drives(base_url: str) -> str:
    """The page of a signed-in driver's day."""
    return _page(base_url, "driver")


def _page(base_url: str, path: str) -> str:
    return f"{base_url.rstrip('/')}/{path}"
