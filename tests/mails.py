"""Mails as machines write them."""

from __future__ import annotations

from email.message import EmailMessage


def away(about: str, *, sender: str = "jo@muster.example", to: str = "desk@nord.example") -> bytes:
    """I am on holiday."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, "Out of office"
    made["Message-ID"], made["In-Reply-To"], made["Auto-Submitted"] = "<away@muster.example>", about, "auto-replied"
    made.set_content("1 week of holiday. For urgent matters press 2. STOP")
    return made.as_bytes()


def bounce(about: str, status: str, *, action: str = "failed", whole: bool = True) -> bytes:
    """A delivery status notification (RFC 3464), with our whole mail or with its head only."""
    head = f"Message-ID: {about}\nFrom: desk@nord.example\nTo: gone@muster.example\nSubject: Nord\n"
    ours = f"message/rfc822\n\n{head}\nNord: booked.\n" if whole else f"text/rfc822-headers\n\n{head}"
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>\nTo: desk@nord.example\nReturn-Path: <>\n"
        "Subject: Undelivered Mail Returned to Sender\nMessage-ID: <dsn1@mx.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nYour mail could not be delivered. STOP 1\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; gone@muster.example\nAction: {action}\nStatus: {status}\n\n"
        f"--b\nContent-Type: {ours}\n--b--\n"
    ).encode()
