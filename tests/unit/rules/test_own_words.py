"""Of a mail only the writer's own words are heard: never ours, which they quote."""

from __future__ import annotations

import pytest

from rules.service.own_words import own_words

OURS = "Nord: your Golf. 1 = Tue 09:00, 2 = Wed 10:00, 0 = no. STOP = no more texts"
QUOTED = "\n".join(f"> {line}" for line in (OURS, "", "-- ", "No more mails: https://nord.example/u/1"))


@pytest.mark.parametrize(
    ("written", "own"),
    [
        (f"2\n\nOn Mon, 23 Nov 2026 at 09:00, Nord <desk@nord.example> wrote:\n{QUOTED}", "2"),
        (f"2\r\n\r\nOn Mon, 23 Nov 2026 at 09:00, Nord\r\n<desk@nord.example> wrote:\r\n\r\n{QUOTED}", "2"),
        (f"STOP\n\nAm Mo., 23. Nov. 2026 um 09:00 Uhr schrieb Nord <desk@nord.example>:\n{QUOTED}", "STOP"),
        (f"0\n\nEl lun, 23 nov 2026 a las 9:00, Nord (<desk@nord.example>) escribió:\n{QUOTED}", "0"),
        (f"1\n\nLe lun. 23 nov. 2026 à 09:00, Nord <desk@nord.example> a écrit :\n{QUOTED}", "1"),
        (f"1\n\n-----Original Message-----\nFrom: Nord\nSent: Monday\n\n{OURS}", "1"),
        (f"1\n\n-----Ursprüngliche Nachricht-----\nVon: Nord\n\n{OURS}", "1"),
        (f"1\n\n________________________________\nFrom: Nord\n\n{OURS}", "1"),
        (f"1\n\nVon: Nord <desk@nord.example>\nGesendet: Montag, 23. November\nAn: Jo\nBetreff: Golf\n\n{OURS}", "1"),
        (f"1\n\nDe: Nord\nEnviado el: lunes\nPara: Jo\nAsunto: Golf\n\n{OURS}", "1"),
        (f"1\n\nOn Mon, Nord wrote:\n\n{OURS}", "1"),
        (f"{QUOTED}\n\nThe second one please", "The second one please"),
        (f"Hello,\n> which time?\nthe first\n{QUOTED}\nthanks", "Hello,\nthe first\nthanks"),
        (f"2\n\nSent from my iPhone\n\n> On Mon, Nord wrote:\n{QUOTED}", "2"),
        ("2\n-- \nJo Muster\nTel. 1 2 3", "2"),
        ("1\nVon meinem iPhone gesendet", "1"),
        (QUOTED, ""),
        ("", ""),
        ("On Monday I wrote: come at 2", "On Monday I wrote: come at 2"),
        ("From: my side it is fine.\nSee you", "From: my side it is fine.\nSee you"),
        ("It is 3 > 2\nand so on", "It is 3 > 2\nand so on"),
    ],
)
def test_what_is_quoted_is_not_said_again(written: str, own: str) -> None:
    assert own_words(written) == own
