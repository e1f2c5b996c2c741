"""What an owner meant by a text. A digit answers the open question, STOP stops, anything else reaches a person.

Nothing is guessed: '1 please' is 1, but '1 or 2?' and 'at 2' are for a person; 'please stop texting me' is
STOP, but 'can I stop by at 5?' is not. CANCEL alone ends the texts, because the providers take it so and would
block us anyway; it is never a word for a booking, and a person sees it too.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from rules.service import stop_words, verbs


class Meaning(StrEnum):
    """What a reply means; stored in `replies.understood`."""

    CHOICE = "choice"
    DECLINE = "decline"
    STOP = "stop"
    START = "start"
    HELP = "help"
    SOLD = "sold"  #: the car is somebody else's now
    WRONG = "wrong"  #: the number is not the owner's
    FEEDBACK = "feedback"
    OTHER = "other"  #: a person must read it


@dataclass(frozen=True, slots=True)
class Asked:
    """What we last asked this owner: the digits of an offer (also one that has run out), and whether feedback is
    outstanding. `cars` and `names` are words by which their cars and they are called.
    """

    choices: tuple[int, ...] = ()
    feedback: bool = False
    offers: int = 1  #: how many offers are open: with several a digit does not say which
    cars: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Understood:
    """The meaning, its number, and what remains for a person to read."""

    meaning: Meaning
    reason: str
    number: int | None = None
    words: str = ""
    for_a_person: bool = False
    also: Meaning | None = None  #: SOLD or WRONG in the breath in which they said STOP


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


#: A plain no to "0 = no".
_NO = _words("no nope nah nein nee ne لا كلا")
_NOT_NOW = frozenset(
    {
        "not now",
        "not interested",
        "jetzt nicht",
        "nicht jetzt",
        "kein interesse",
        "lieber nicht",
        "ahora no",
        "no me interesa",
        "mejor no",
        "ليس الان",
        "لست مهتما",
        "غير مهتم",
    }
)
_AROUND_NO = _words(
    "thanks thank you please sorry hi hello danke bitte leider hallo vielen dank gracias por favor hola muchas "
    "شكرا عذرا مرحبا من فضلك"
)
_START_WORDS = frozenset({"start", "unstop", "starten", "alta", "iniciar", "resume", "اشتراك", "اشترك"})
_HELP_WORDS = frozenset({"help", "info", "hilfe", "ayuda", "aide", "مساعدة", "المساعدة"})
_NUMBERS = {
    "0": 0,
    "zero": 0,
    "null": 0,
    "cero": 0,
    "1": 1,
    "one": 1,
    "eins": 1,
    "uno": 1,
    "2": 2,
    "two": 2,
    "zwei": 2,
    "dos": 2,
    "3": 3,
    "three": 3,
    "drei": 3,
    "tres": 3,
    "4": 4,
    "four": 4,
    "vier": 4,
    "cuatro": 4,
    "5": 5,
    "five": 5,
    "funf": 5,
    "fuenf": 5,
    "cinco": 5,
    "صفر": 0,
    "واحد": 1,
    "اثنان": 2,
    "اثنين": 2,
    "ثلاثة": 3,
    "اربعة": 4,
    "خمسة": 5,
}
#: May stand around a digit; 'at', 'um', 'pm' may not, for then it is a time of day.
_AROUND_DIGIT = _words("""
please pls plz option choice number nr thanks thank you ok okay yes yep sure the window i take want would like choose
go for with hi hello great perfect
bitte nummer auswahl danke ja gern gerne ich nehme wahle wunsche hatte hallo das passt prima super
por favor opcion numero gracias si vale la el quiero prefiero hola elijo
من فضلك رقم الرقم الخيار خيار شكرا نعم اختار اريد مرحبا موعد الموعد
""")
LOW_SCORE = 2  #: of 5: a person hears of it
_SCORED = re.compile(r"\s*([1-5])\s*[,.;:!)\-–—]+\s*(\D.*)?", re.DOTALL)


def understand(body: str, asked: Asked) -> Understood:
    """What `body` means, given what was asked. All languages at once: people answer in theirs, not in ours."""
    plain = normal(body)
    words = plain.split()
    if not words:
        return Understood(Meaning.OTHER, "nothing that can be read", for_a_person=True)
    parts = [normal(part) for part in stop_words.clauses(body)]
    if stop_words.asks(plain, parts):
        doubtful = bool(stop_words.DOUBTFUL.intersection(words))
        beside = verbs.wrong(body, [part for part in parts if not stop_words.asks(part, [part])], _called(asked.names))
        also = Meaning.WRONG if beside else None
        return Understood(Meaning.STOP, "asked us to stop", for_a_person=doubtful or beside, also=also)
    verb = _verb(body, parts, asked)
    if verb is not None:
        return verb
    if len(words) == 1 and words[0] in _START_WORDS:
        return Understood(Meaning.START, "asked for our texts again")
    if len(words) == 1 and words[0] in _HELP_WORDS:
        return Understood(Meaning.HELP, "asked for help")
    number = _only_number(words)
    if number is not None:
        return _answer(number, asked)
    if asked.choices and asked.offers == 1 and _is_no(words):
        return Understood(Meaning.DECLINE, "said no", 0)
    scored = _SCORED.fullmatch(body) if asked.feedback and not asked.choices else None
    if scored:
        return _score(int(scored[1]), (scored[2] or "").strip())
    return Understood(Meaning.OTHER, "not one of the answers we asked for", for_a_person=True)


def _verb(body: str, parts: list[str], asked: Asked) -> Understood | None:
    """SOLD and WRONG have consequences, so a person reads each of them, too."""
    cars, names = _called(asked.cars), _called(asked.names)
    if verbs.sold(body, parts, cars):
        return Understood(Meaning.SOLD, "said that the car is sold", for_a_person=True)
    if verbs.wrong(body, parts, names):
        return Understood(Meaning.WRONG, "said that the number is wrong", for_a_person=True)
    pieces = verbs.pieces(parts)
    stops = [piece for piece in pieces if stop_words.asks(piece, [piece])]
    others = [piece for piece in pieces if piece not in stops]
    for meaning, says, own in ((Meaning.SOLD, verbs.sold, cars), (Meaning.WRONG, verbs.wrong, names)):
        if stops and says(body, others, own):
            return Understood(Meaning.STOP, "asked us to stop", for_a_person=True, also=meaning)
    return None


def _called(names: tuple[str, ...]) -> frozenset[str]:
    words = [word for name in names for word in normal(name).split()]
    return frozenset((*words, *(f"{word}s" for word in words)))


def normal(body: str) -> str:
    """Lower case, without accents, emoji and punctuation: keycap and full-width digits are digits."""
    folded = unicodedata.normalize("NFKD", body).casefold().replace("ß", "ss")
    folded = "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in folded)
    letters = "".join(
        c if c.isalnum() else ("" if unicodedata.combining(c) or c in "'’`´\u200d\ufe0f" else " ") for c in folded
    )
    return " ".join(letters.split())


def _is_no(words: list[str]) -> bool:
    """Nothing but a no and courtesies."""
    phrase = " ".join(word for word in words if word not in _AROUND_NO)
    return phrase in _NOT_NOW or (bool(phrase) and all(word in _NO for word in phrase.split()))


def _only_number(words: list[str]) -> int | None:
    numbers = [_NUMBERS[word] for word in words if word in _NUMBERS]
    rest = [word for word in words if word not in _NUMBERS]
    return numbers[0] if len(numbers) == 1 and all(word in _AROUND_DIGIT for word in rest) else None


def _answer(number: int, asked: Asked) -> Understood:
    if asked.offers > 1:
        return Understood(
            Meaning.OTHER,
            f"answered {number}, and {asked.offers} offers are open: which one is meant?",
            number,
            for_a_person=True,
        )
    if asked.choices:
        if number in asked.choices:
            return Understood(Meaning.CHOICE, f"chose {number}", number)
        if number == 0:
            return Understood(Meaning.DECLINE, "said no", 0)
    if asked.feedback and 1 <= number <= 5:
        return _score(number, "")
    if asked.choices:
        return Understood(Meaning.OTHER, f"there is no choice {number}", number, for_a_person=True)
    return Understood(Meaning.OTHER, "a number, but nothing was asked", number, for_a_person=True)


def _score(number: int, words: str) -> Understood:
    return Understood(
        Meaning.FEEDBACK, f"gave {number} of 5", number, words, for_a_person=number <= LOW_SCORE or bool(words)
    )
