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


class Meaning(StrEnum):
    """What a reply means; stored in `replies.understood`."""

    CHOICE = "choice"
    DECLINE = "decline"
    STOP = "stop"
    START = "start"
    HELP = "help"
    FEEDBACK = "feedback"
    OTHER = "other"  #: a person must read it


@dataclass(frozen=True, slots=True)
class Asked:
    """What we last asked this owner: the digits of an offer (also one that has run out), and whether feedback is
    outstanding.
    """

    choices: tuple[int, ...] = ()
    feedback: bool = False
    offers: int = 1  #: how many offers are open: with several a digit does not say which


@dataclass(frozen=True, slots=True)
class Understood:
    """The meaning, its number, and what remains for a person to read."""

    meaning: Meaning
    reason: str
    number: int | None = None
    words: str = ""
    for_a_person: bool = False


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_STOP_WORDS = _words("""
stop stopp stopall stops stoppen optout quit end ende revoke unsubscribe unsub cancel cancelall abmelden abmeldung
abbestellen austragen
baja alto parar pare parad detener desuscribir desuscribirme arret arreter remove
""")
#: Words that the providers take as STOP but that may be about a booking: a person looks too.
_DOUBTFUL = frozenset({"cancel", "end", "ende", "quit", "alto", "remove"})
_STOP_PHRASES = frozenset(
    {
        "opt out",
        "opt me out",
        "i opt out",
        "take me off",
        "take me off your list",
        "take me off the list",
        "take me off this list",
        "no more",
        "no more texts",
        "no more messages",
        "no more sms",
        "leave me alone",
        "lose my number",
        "delete my number",
        "remove my number",
        "wrong number stop",
        "keine sms mehr",
        "keine texte mehr",
        "keine nachrichten mehr",
        "keine nachricht mehr",
        "keine weiteren nachrichten",
        "keine weiteren sms",
        "bitte keine sms mehr",
        "bitte keine nachrichten mehr",
        "bitte keine weiteren nachrichten",
        "nicht mehr schreiben",
        "bitte nicht mehr schreiben",
        "schreiben sie mir nicht mehr",
        "schreibt mir nicht mehr",
        "horen sie auf",
        "hort auf",
        "horen sie auf mir zu schreiben",
        "lassen sie mich in ruhe",
        "ich mochte keine nachrichten mehr",
        "ich will keine nachrichten mehr",
        "ich mochte keine sms mehr",
        "no mas",
        "no mas mensajes",
        "no mas textos",
        "no mas sms",
        "no quiero mas mensajes",
        "no quiero mas textos",
        "no me escriba mas",
        "no me escriban mas",
        "no me envie mas mensajes",
        "no me manden mas mensajes",
        "no me mande mas mensajes",
        "dar de baja",
        "darme de baja",
        "dame de baja",
        "deme de baja",
        "quiero darme de baja",
        "quiero la baja",
        "dejen de escribirme",
        "deje de escribirme",
        "deje de enviarme mensajes",
        "borrenme de la lista",
        "ne plus envoyer",
    }
)
#: May stand around a STOP word without changing what it says.
_AROUND_STOP = _words("""
please pls plz now it this these those the all me us my from to you your yours i we want wish would like and just can
could will sending send
texting text texts messages message messaging msg msgs sms contacting contact writing spam spamming emails alerts
notifications immediately at once
already thanks thank ok okay again everything forever right completely hi hello hey
bitte sofort jetzt alle alles mich mir ich mochte will danke das die den der schicken senden nachrichten nachricht
texte von ihnen newsletter dienst hallo
por favor ya todo todos los las la el mensajes mensaje textos quiero me gracias su sus de ahora hola
les ces sil vous plait
""")
_NOT_TO_ME = re.compile(
    r"(please )?(do not|dont|don t|never|quit|no longer) (ever "
    r")?(text|texting|message|messaging|contact|contacting|write|writing|sms|send)"
    r"( to)?( me| us)?( any)?( more)?( anymore| again| texts| messages| sms)*( please)?( thanks| thank you)?"
)
#: A plain wish to get no more texts, in whole sentences; what stands around it must say nothing else.
_NO_MORE = re.compile(
    "|".join(
        (
            r"(please )?(i )?(really )?(do not|dont|don t|no longer)( want| wish| need| like)( to "
            r"(get|receive|have|read))?( any)?( more| further)?( of)?( these| those| your| such)?"
            r" (texts|messages|sms|text messages|alerts|notifications)( any ?more| from you| again| at all)*( "
            r"please)?( thanks| thank you)?",
            r"(please )?no( more| further)? (texts|messages|sms|text messages|alerts)( from you| to this number| to "
            r"me| any ?more| at all)*( please)?( thanks| thank you)?",
            r"(please )?(remove|take|delete|strike) (me|us|my number|this number)( off| from| out of)?( your| the| "
            r"this)?( texting| mailing)?( list| database| system)?( please)?( thanks| thank you)?",
            r"(please )?(stop|quit) (bothering|texting|messaging|writing|contacting|spamming|harassing)( to)? (me|us)( "
            r"please| now)?",
            r"(bitte )?(ich )?(mochte|will|wunsche|brauche)( ich)?( bitte)?( von ihnen| von euch)?( ab jetzt)? "
            r"(keine|keinerlei)( weiteren| solchen| diese)?"
            r" (sms|texte|nachrichten|nachricht|mitteilungen|meldungen)( mehr)?( von ihnen| von euch)?( bekommen| "
            r"erhalten| haben| empfangen)?( danke| bitte)?",
            r"(bitte )?(schicken|senden|schreiben|schickt|sendet|schreibt)( sie| ihr)?( mir| uns)?( bitte)? (keine( "
            r"weiteren)? (sms|texte|nachrichten)( mehr)?|nicht mehr|nichts mehr)( bitte| danke)?",
            r"(bitte )?(keine|keinerlei)( weiteren)? (sms|texte|nachrichten|nachricht|meldungen)( mehr)?( an mich| an "
            r"diese nummer| von ihnen)?( schicken| senden| schreiben)?( bitte| danke)?",
            r"(bitte )?(streichen|loschen|entfernen|nehmen) sie (mich|meine nummer)( bitte)?( von| aus)?( der| ihrer| "
            r"dem| ihrem)?( liste| verteiler)?( bitte| danke)?",
            r"(bitte )?horen sie (bitte )?auf( damit)?( mir)?( sms| nachrichten| texte)?( zu "
            r"(schicken|schreiben|senden))?( bitte| danke)?",
            r"(por favor )?(ya )?no (quiero|deseo|necesito)( recibir)?( mas| sus| estos)* "
            r"(mensajes|textos|sms|avisos|notificaciones)( mas| suyos| de ustedes)*( por favor| gracias)?",
            r"(por favor )?(ya )?no me (escriba|escriban|envie|envien|mande|manden|contacte|contacten|molesten)( "
            r"mas)?( mensajes| textos| sms)?( mas)?( por favor| gracias)?",
            r"(por favor )?(deje|dejen|deja)( ya)? de (escribirme|enviarme|mandarme|molestarme|contactarme)( mas)?( "
            r"mensajes| textos| sms)?( por favor| gracias)?",
            r"(por favor )?(quiten|quite|borren|borre|eliminen|elimine)(me| mi numero)( de)?( su| la)?( lista)?( por "
            r"favor| gracias)?",
            r"(por favor )?(ni un|ningun) (mensaje|texto|sms) mas( por favor| gracias)?",
        )
    )
)
#: A plain no to "0 = no".
_NO = _words("no nope nah nein nee ne")
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
    }
)
_AROUND_NO = _words(
    "thanks thank you please sorry hi hello danke bitte leider hallo vielen dank gracias por favor hola muchas"
)
_START_WORDS = frozenset({"start", "unstop", "starten", "alta", "iniciar", "resume"})
_HELP_WORDS = frozenset({"help", "info", "hilfe", "ayuda", "aide"})
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
}
#: May stand around a digit; 'at', 'um', 'pm' may not, for then it is a time of day.
_AROUND_DIGIT = _words("""
please pls plz option choice number nr thanks thank you ok okay yes yep sure the window i take want would like choose
go for with hi hello great perfect
bitte nummer auswahl danke ja gern gerne ich nehme wahle wunsche hatte hallo das passt prima super
por favor opcion numero gracias si vale la el quiero prefiero hola elijo
""")
LOW_SCORE = 2  #: of 5: a person hears of it
_SCORED = re.compile(r"\s*([1-5])\s*[,.;:!)\-–—]+\s*(\D.*)?", re.DOTALL)


def understand(body: str, asked: Asked) -> Understood:
    """What `body` means, given what was asked. All languages at once: people answer in theirs, not in ours."""
    plain = normal(body)
    words = plain.split()
    if not words:
        return Understood(Meaning.OTHER, "nothing that can be read", for_a_person=True)
    if _is_stop(plain, words):
        return Understood(Meaning.STOP, "asked us to stop", for_a_person=bool(_DOUBTFUL.intersection(words)))
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


def normal(body: str) -> str:
    """Lower case, without accents, emoji and punctuation: keycap and full-width digits are digits."""
    folded = unicodedata.normalize("NFKD", body).casefold().replace("ß", "ss")
    letters = "".join(
        c if c.isalnum() else ("" if unicodedata.combining(c) or c in "'’`´\u200d\ufe0f" else " ") for c in folded
    )
    return " ".join(letters.split())


def _is_stop(plain: str, words: list[str]) -> bool:
    if plain in _STOP_PHRASES or _NOT_TO_ME.fullmatch(plain) or _NO_MORE.fullmatch(plain):
        return True
    if any(
        plain.endswith(polite) and plain.removesuffix(polite).strip() in _STOP_PHRASES
        for polite in (" please", " thanks", " danke", " bitte", " gracias", " por favor")
    ):
        return True
    if plain.removeprefix("please ").removeprefix("bitte ").removeprefix("por favor ") in _STOP_PHRASES:
        return True
    return any(word in _STOP_WORDS for word in words) and all(
        word in _STOP_WORDS or word in _AROUND_STOP for word in words
    )


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
