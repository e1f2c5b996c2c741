"""A mail that came in: whose it is, what it answers, and whether anybody wrote it."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.service.incoming_mail import read
from tests.mails import away, bounce

OURS = "<m1-2-abc@nord.example>"


def letter(body: str = "1", **heads: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"] = "Jo Muster <Jo@Muster.example>", "Nord <Desk@nord.example>, b@else.example"
    made["Subject"], made["Message-ID"], made["In-Reply-To"] = "Re: Golf", "<x1@muster.example>", OURS
    for name, value in heads.items():
        del made[name.replace("_", "-")]
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made


def test_who_wrote_what_to_whom_about_which() -> None:
    mail = read(letter("1\n\nOn Monday, Nord wrote:\n> 2").as_bytes())
    assert (mail.sender, mail.name, mail.words) == ("jo@muster.example", "<x1@muster.example>", "1")
    assert mail.places == ("Desk@nord.example", "b@else.example") and mail.about == (OURS,)
    assert not mail.by_machine and mail.came_back is None


def test_a_mail_with_two_forms_is_read_in_the_plain_one_and_one_without_it_as_shown() -> None:
    both = letter("2")
    both.add_alternative("<p>1</p>", subtype="html")
    assert read(both.as_bytes()).words == "2"
    for html in (
        "<div>2<br></div><div class='gmail_quote'><div>On Mon, Nord wrote:</div><blockquote>STOP 1</blockquote></div>",
        "<html><head><style>p {}</style></head><body><p>2</p><hr><div id='divRplyFwdMsg'><b>From:</b> Nord</div><p>1",
        "<p>2</p><blockquote type='cite'>1<blockquote>STOP</blockquote></blockquote>",
        "2<script>1</script>",
    ):
        made = letter()
        made.set_content(html, subtype="html")
        assert read(made.as_bytes()).words == "2", html


def test_a_subject_is_heard_where_nobody_wrote_anything_else_and_it_is_their_own() -> None:
    assert read(letter("", Subject="STOP").as_bytes()).words == "STOP"
    assert read(letter("", Subject="Re: 1 or 2").as_bytes()).words == ""
    assert read(letter("", Subject="AW: STOP").as_bytes()).words == ""


@pytest.mark.parametrize(
    "heads",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated; owner=x"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X-Autoreply": "yes"},
        {"List-Id": "<news.example>"},
        {"Return-Path": "<>"},
        {"From": "MAILER-DAEMON@muster.example"},
        {"From": "no-reply@muster.example"},
        {"Subject": "Automatic reply: Golf"},
        {"Subject": "Abwesenheitsnotiz: Golf"},
        {"Subject": "Respuesta automática: Golf"},
    ],
)
def test_a_machine_is_told_from_a_person(heads: dict[str, str]) -> None:
    assert read(letter(**heads).as_bytes()).by_machine
    assert read(away(OURS)).by_machine


def test_a_person_is_no_machine() -> None:
    assert not read(letter(**{"Auto-Submitted": "no"}).as_bytes()).by_machine
    assert not read(letter(Subject="Out of oil?").as_bytes()).by_machine


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("5.1.1", "there is no such mailbox (5.1.1)"),
        ("5.2.2", "the mailbox is full (5.2.2)"),
        ("5.7.26", "their mail server refuses our mail (5.7.26)"),
        ("4.4.7", "their mail server could not be reached for days (4.4.7)"),
        ("", "it could not be delivered"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_mail_that_came_back_says_which_and_why(status: str, why: str, whole: bool) -> None:
    mail = read(bounce(OURS, status, whole=whole))
    assert mail.came_back == f"the mail came back: {why}" and mail.about == (OURS,) and mail.by_machine


def test_one_that_is_only_late_has_not_come_back() -> None:
    mail = read(bounce(OURS, "4.4.1", action="delayed"))
    assert mail.came_back is None and mail.by_machine


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_whatever_the_bytes_are_they_are_a_mail(raw: bytes) -> None:
    for text in (raw, b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n" + raw):
        read(text).words.encode()
