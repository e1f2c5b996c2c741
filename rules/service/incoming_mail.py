"""A mail that came in, as much of it as we hear: who wrote which words of their own, to which mail of ours, or that a
mail of ours came back.

What they quote is cut away before anything is understood (`rules.service.own_words`). What a machine wrote (out of
office, lists, receipts) is never an answer. Pure.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr

from rules.service.own_words import Plain, own_words

LONGEST = 20_000  #: characters of a body that are looked at
_MOST_PLACES = 20  #: addresses that are looked at


@dataclass(frozen=True, slots=True)
class Mail:
    """What one mail says."""

    name: str  #: its Message-ID; empty where it has none
    sender: str
    places: tuple[str, ...]  #: to whom it went, the likeliest first
    about: tuple[str, ...]  #: Message-IDs that it answers or brings back
    words: str  #: the writer's own
    by_machine: bool = False  #: nobody wrote it
    came_back: str | None = None  #: why a mail of ours could not be delivered, for good


def read(raw: bytes) -> Mail:
    """Whatever the bytes are: a mail that cannot be read is one without words."""
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(letter, EmailMessage)
    bounce = _bounce(letter)
    about = (*_ids(letter, "In-Reply-To", "References"), *((bounce.about,) if bounce else ()))
    return Mail(
        name=_plain((_header(letter, "Message-ID") or "").strip()[:300]),
        sender=_plain(parseaddr(_header(letter, "From") or "")[1].strip().lower()[:320]),
        places=_places(letter),
        about=about,
        words=_plain(_words(letter)),
        by_machine=bounce is not None or _by_machine(letter),
        came_back=bounce.why if bounce and bounce.failed else None,
    )


def _words(letter: EmailMessage) -> str:
    """Of the plain part, else of the other one; of the subject where somebody wrote nothing else."""
    found = own_words(_text(letter))
    subject = (_header(letter, "Subject") or "").strip()
    return found if found or re.match(r"\w{1,3}\s*(\[\d+\])?\s*:", subject) else subject[:200]


def _text(letter: EmailMessage) -> str:
    try:
        part = letter.get_body(preferencelist=("plain", "html"))
        if part is None:
            return ""
        content = part.get_content()
    except (LookupError, ValueError, AttributeError, KeyError, UnicodeError):
        return ""
    if not isinstance(content, str):
        return ""
    if part.get_content_subtype() != "html":
        return content[:LONGEST]
    plain = Plain()
    plain.feed(content[: 10 * LONGEST])
    plain.close()
    return plain.text[:LONGEST]


# --- machines

_MACHINES = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+@-]|$)", re.IGNORECASE)
_AWAY = re.compile(
    r"^\s*(automatic reply|auto(matic)?[- ]?reply|out of (the )?office|automatische antwort|abwesenheit\w*|"
    r"respuesta automática|fuera de la oficina|réponse automatique|رد تلقائي|מענה אוטומטי)\b",
    re.IGNORECASE,
)


def _by_machine(letter: EmailMessage) -> bool:
    said = (_header(letter, "Auto-Submitted") or "no").split(";")[0].strip().lower()
    return (
        said != "no"
        or (_header(letter, "Precedence") or "").strip().lower() in ("bulk", "junk", "list", "auto_reply")
        or any(letter.get_all(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "List-Id"))
        or (_header(letter, "Return-Path") or "").strip() == "<>"
        or letter.get_content_type() == "multipart/report"
        or bool(_MACHINES.match(parseaddr(_header(letter, "From") or "")[1]))
        or bool(_AWAY.match(_header(letter, "Subject") or ""))
    )


@dataclass(frozen=True, slots=True)
class _Bounce:
    about: str  #: Message-ID of the mail that it is about
    failed: bool
    why: str


#: What an enhanced status (RFC 3463) means, for whoever has to ring; the longest match counts.
_MEANS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no such mail domain",
    "1.10": "there is no such mail domain",
    "1": "the mail address is not right",
    "2.1": "the mailbox is switched off",
    "2.2": "the mailbox is full",
    "2": "the mailbox takes no mail",
    "4.7": "their mail server could not be reached for days",
    "4": "their mail server cannot be reached",
    "7": "their mail server refuses our mail",
}


def _bounce(letter: EmailMessage) -> _Bounce | None:
    """A delivery status notification (RFC 3464)."""
    if letter.get_content_type() != "multipart/report" or "delivery-status" not in str(
        letter.get_param("report-type", "")
    ):
        return None
    failed, status, about = False, "", ""
    for part in letter.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in part.get_payload() if isinstance(part.get_payload(), list) else []:
                if str(block.get("Action", "")).strip().lower() == "failed":  # type: ignore[union-attr]
                    failed, status = True, str(block.get("Status", "")).strip()  # type: ignore[union-attr]
        elif kind in ("message/rfc822", "message/global"):
            inner = part.get_payload()
            if isinstance(inner, list) and inner:
                about = about or str(inner[0].get("Message-ID", ""))  # type: ignore[union-attr]
        elif kind == "text/rfc822-headers":
            content = str(part.get_payload())
            about = about or str(email.message_from_string(content, policy=email.policy.compat32).get("Message-ID", ""))
    return _Bounce(about, failed, _why(status))


def _why(status: str) -> str:
    match = re.match(r"[245]\.(\d{1,3})\.(\d{1,3})", status)
    subject, detail = (match[1], match[2]) if match else ("", "")
    means = _MEANS.get(f"{subject}.{detail}", _MEANS.get(subject, "it could not be delivered"))
    return f"the mail came back: {means}" + (f" ({match[0]})" if match else "")


# --- heads


def _plain(text: str) -> str:
    """What can be kept: bytes that are no letters are question marks."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _header(letter: EmailMessage, name: str) -> str | None:
    """None where there is none, or where it cannot be read."""
    try:
        found = letter.get(name)
        return None if found is None else str(found)
    except (ValueError, IndexError, AttributeError, TypeError, KeyError):
        return None


def _ids(letter: EmailMessage, *names: str) -> Iterator[str]:
    for name in names:
        if found := _header(letter, name):
            yield found[:4000]


def _places(letter: EmailMessage) -> tuple[str, ...]:
    heads = (_header(letter, name) or "" for name in ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc"))
    found = [_plain(address.strip()) for _, address in getaddresses([head for head in heads if head])]
    return tuple(dict.fromkeys(address for address in found if "@" in address))[:_MOST_PLACES]
