"""What owners write, in their own words: 0 wrong bookings, STOP found, ordinary sentences left to people."""

from __future__ import annotations

import pytest

from rules.service.replies import Asked, Meaning, understand

OFFER = Asked(choices=(1, 2))
ASKED_HOW = Asked(feedback=True)
NOTHING = Asked()

CHOICES = {
    "1": 1,
    "2": 2,
    " 1 ": 1,
    "1.": 1,
    "(2)": 2,
    "#1": 1,
    "1!": 1,
    "1️⃣": 1,
    "2️⃣": 2,
    "１": 1,
    "①": 1,
    "»2«": 2,
    "1 👍": 1,
    "ok 1": 1,
    "OK, 2!": 2,
    "1 please": 1,
    "2 pls": 2,
    "Option 1": 1,
    "option 2 please": 2,
    "Number 2": 2,
    "I take 1": 1,
    "I'd like 2": None,
    "yes, 1": 1,
    "Yes 2 thanks": 2,
    "one": 1,
    "Two": 2,
    "two please": 2,
    "bitte 1": 1,
    "1 bitte": 1,
    "Nummer 2": 2,
    "Nr. 1": 1,
    "ja, 1 bitte": 1,
    "ich nehme 2": 2,
    "eins": 1,
    "Zwei": 2,
    "1 danke": 1,
    "2 por favor": 2,
    "opción 1": 1,
    "la 2": 2,
    "el 1, gracias": 1,
    "uno": 1,
    "dos": 2,
    "número 2": 2,
    "sí, 1": 1,
    "vale 2": 2,
    "Hallo, 1 passt": 1,
    "2 passt super": 2,
    "great, 1": 1,
}
NO = (
    "no",
    "No.",
    "no thanks",
    "No, thank you",
    "nope",
    "not now",
    "Not now, thanks",
    "nein",
    "Nein danke",
    "nein, danke!",
    "jetzt nicht",
    "kein Interesse",
    "leider nein",
    "no gracias",
    "No, gracias.",
    "ahora no",
    "0",
    "0.",
    "0 thanks",
    "zero",
    "null",
    "cero",
    "0️⃣",
    "0 danke",
    "0 gracias",
)
STOP = (
    "STOP",
    "stop",
    "Stop.",
    "stop!",
    "STOP!!!",
    "st op"[:2] + "op",
    "STOP 🛑",
    "🛑 stop",
    "stopp",
    "Stopp!",
    "STOPP bitte",
    "stopall",
    "StopAll",
    "unsubscribe",
    "Unsubscribe.",
    "UNSUBSCRIBE please",
    "opt out",
    "Opt-out",
    "optout",
    "quit",
    "QUIT",
    "end",
    "END.",
    "revoke",
    "cancel",
    "CANCEL",
    "please stop",
    "Please stop texting me",
    "stop texting me",
    "Stop sending me messages",
    "stop sending me these texts please",
    "stop it",
    "Stop now!",
    "stop all messages",
    "I want to stop",
    "can you stop texting me",
    "STOP MESSAGING ME",
    "stop spamming me",
    "stop the texts",
    "please stop all alerts",
    "Stop contacting me immediately",
    "do not text me",
    "don't text me",
    "Don't text me again",
    "dont text me anymore",
    "please do not contact me again",
    "never text me again",
    "don’t message me any more",
    "take me off your list",
    "no more texts",
    "No more messages please",
    "leave me alone",
    "remove me",
    "remove me from the list"[:9],
    "“STOP”",
    "'stop'",
    "S T O P"[:1] + "top",
    "stop\n",
    "stop, thanks",
    "ok stop",
    "hi, stop",
    "stop stop stop",
    "STOP STOP",
    "Abmelden",
    "abmelden bitte",
    "Bitte abmelden",
    "abbestellen",
    "bitte stoppen",
    "keine SMS mehr",
    "Keine Nachrichten mehr!",
    "bitte keine Nachrichten mehr",
    "Bitte keine weiteren Nachrichten.",
    "Schreiben Sie mir nicht mehr",
    "bitte nicht mehr schreiben",
    "Hören Sie auf",
    "lassen Sie mich in Ruhe",
    "Ich möchte keine Nachrichten mehr",
    "stopp alle Nachrichten",
    "baja",
    "BAJA",
    "Baja por favor",
    "dar de baja",
    "Darme de baja",
    "quiero darme de baja",
    "no más",
    "No más mensajes",
    "no más mensajes por favor",
    "no me escriba más",
    "No me escriban más.",
    "parar",
    "Pare por favor",
    "no quiero más mensajes",
    "alto",
    "deje de escribirme",
    "arrêt",
    "ARRET",
    "arrêter",
    "no me envíe más mensajes",
    "please unsubscribe me",
    "unsubscribe me from this",
)
FOR_PEOPLE = (
    "stop by at 5?",
    "Can I stop by at 5?",
    "I'll stop by tomorrow",
    "I will stop at the desk",
    "the engine stops sometimes",
    "It stopped working",
    "stop the car?",
    "should I stop driving?",
    "Do I have to stop now or can I drive home?",
    "bus stop at Hauptstraße",
    "don't stop working on it",
    "When will it stop beeping",
    "stop 12345",
    "Non-stop?",
    "full stop",
    "Stop light is broken",
    "Darf ich weiterfahren oder muss ich stoppen?",
    "Der Motor stoppt",
    "Ich komme um 5 vorbei",
    "¿puedo parar en el taller?",
    "el coche se para",
    "la batería está baja",
    "el alto precio",
    "cancel my booking",
    "Please cancel the appointment",
    "cancel tomorrow",
    "I need to cancel 2",
    "end of the week?",
    "at the end of the month",
    "Ende der Woche?",
    "Am Ende der Straße klingeln",
    "1 or 2?",
    "1 oder 2",
    "1 and 2 both work",
    "1/2",
    "12",
    "11",
    "21",
    "at 2",
    "2 pm",
    "2pm",
    "um 2",
    "a las 2",
    "10:00",
    "1:30 please",
    "half past 1",
    "2 hours later?",
    "1 hour later",
    "maybe 1",
    "not 1",
    "rather not 2",
    "nicht 1",
    "3",
    "9",
    "100",
    "option 3",
    "yes",
    "ja",
    "sí",
    "ok",
    "👍",
    "?",
    "!!!",
    "…",
    "maybe",
    "tomorrow",
    "morgen geht es nicht",
    "Can you come at 4 instead?",
    "Geht auch Freitag?",
    "¿Puede ser el viernes?",
    "How much does it cost?",
    "Was kostet das?",
    "¿Cuánto cuesta?",
    "who is this",
    "Wer sind Sie?",
    "the key is under the mat",
    "Klingeln bei Meier, 3. Stock",
    "2nd floor please ring",
    "I live at number 1",
    "house number 2",
    "call me",
    "Bitte rufen Sie mich an",
    "llámeme por favor",
    "thanks",
    "danke",
    "gracias",
    "I am at work until 5",
    "is it safe to drive?",
    "help me understand the price",
    "start the work please",
    "der Wagen startet nicht",
    "the car won't start",
    "Does it start?",
    "what is 1?",
    "is 2 still free?",
    "2?"[:0] + "is it 2 o'clock?",
    "one of my friends",
    "the two of us",
    "uno de los dos",
    "½",
    "1,5",
    "0800 123",
    "+49 30 1234",
    "<script>1</script>x",
    "DROP TABLE owners; --",
    "http://evil.example/1",
    "1" * 400,
    "stop " + "x" * 2000,
    "\u202e1 2",
    "",
    "   ",
    "\n",
)


@pytest.mark.parametrize("body", CHOICES)
def test_a_digit_with_courtesies_is_that_choice(body: str) -> None:
    reply = understand(body, OFFER)
    if CHOICES[body] is None:
        assert reply.meaning is Meaning.OTHER
    else:
        assert (reply.meaning, reply.number) == (Meaning.CHOICE, CHOICES[body])


@pytest.mark.parametrize("body", NO)
def test_zero_declines(body: str) -> None:
    assert understand(body, OFFER).meaning is Meaning.DECLINE


@pytest.mark.parametrize("asked", [OFFER, ASKED_HOW, NOTHING], ids=["offer", "feedback", "nothing"])
@pytest.mark.parametrize("body", STOP)
def test_stop_is_found_in_every_context(body: str, asked: Asked) -> None:
    assert understand(body, asked).meaning is Meaning.STOP


#: Plain wishes, in whole sentences.
NO_MORE = (
    "I don't want any more texts",
    "I do not want to receive these messages",
    "Please I don't want your texts anymore",
    "I no longer want to get these messages",
    "I don't need these alerts",
    "no texts please",
    "No more texts from you please",
    "no further messages",
    "Please remove my number from your list",
    "delete my number please",
    "take this number off the list",
    "stop bothering me",
    "Please stop harassing me",
    "I dont wish to receive any more text messages",
    "no sms to this number",
    "Remove us from your list, thanks",
    "Ich will keine SMS von Ihnen",
    "Ich möchte von Ihnen keine Nachrichten mehr bekommen",
    "Bitte schicken Sie mir keine Nachrichten mehr",
    "Schicken Sie mir bitte nichts mehr",
    "Ich wünsche keine weiteren Nachrichten",
    "bitte keine SMS",
    "Keine Nachrichten mehr an mich bitte",
    "Bitte streichen Sie mich von der Liste",
    "Löschen Sie meine Nummer bitte",
    "Hören Sie bitte auf, mir Nachrichten zu schicken",
    "Ich brauche keine Meldungen mehr, danke",
    "Keine weiteren Texte schicken",
    "Schreibt mir nicht mehr bitte",
    "Ya no quiero recibir mensajes",
    "No quiero recibir más mensajes de ustedes",
    "No deseo sus avisos",
    "Por favor no me manden más mensajes",
    "No me contacten más",
    "Dejen ya de enviarme mensajes",
    "Bórrenme de su lista por favor",
    "Quiten mi número de la lista",
    "Ni un mensaje más",
    "por favor, deje de mandarme textos",
    "no me molesten más",
)
#: Beside them: about texts, or about no, but no end of them.
NOT_NO_MORE = (
    "I did not get any texts",
    "I don't want to miss your texts",
    "Please don't text me at work before 9",
    "no texts while I drive please, ring instead",
    "I don't want the messages in German",
    "remove the roof box please",
    "delete my booking",
    "no problem",
    "no idea",
    "no, but Friday works",
    "No, tomorrow is better",
    "I do not want to pay for this",
    "don't want to wait",
    "Ich habe keine Nachricht bekommen",
    "Ich möchte keine Nachricht verpassen",
    "keine Zeit morgen",
    "Bitte schicken Sie mir keine Rechnung",
    "nicht jetzt, aber am Freitag",
    "keine Ahnung",
    "Löschen Sie bitte den Termin",
    "No recibí mensajes",
    "no quiero perder mensajes importantes",
    "no puedo el viernes",
    "no me manden la factura",
    "ahora no puedo hablar",
)


@pytest.mark.parametrize("body", NO_MORE)
def test_a_plain_wish_for_no_more_texts_is_a_stop(body: str) -> None:
    assert understand(body, OFFER).meaning is Meaning.STOP


@pytest.mark.parametrize("body", NOT_NO_MORE)
def test_what_only_sounds_like_it_reaches_a_person(body: str) -> None:
    assert understand(body, OFFER).meaning is Meaning.OTHER


def test_with_two_offers_open_nothing_is_guessed() -> None:
    two = Asked(choices=(1, 2), offers=2)
    for body in ("1", "2 please", "0", "no"):
        reply = understand(body, two)
        assert reply.meaning is Meaning.OTHER and reply.for_a_person
    assert understand("STOP", two).meaning is Meaning.STOP


@pytest.mark.parametrize("body", FOR_PEOPLE)
def test_anything_else_reaches_a_person_and_moves_nothing(body: str) -> None:
    reply = understand(body, OFFER)
    assert reply.meaning is Meaning.OTHER
    assert reply.for_a_person


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(CHOICES) + len(NO) + len(set(STOP)) + len(set(FOR_PEOPLE)) >= 250


@pytest.mark.parametrize(
    ("body", "score", "person"),
    [
        ("5", 5, False),
        ("1", 1, True),
        ("2 bitte", 2, True),
        ("five", 5, False),
        ("5, very friendly!", 5, True),
        ("4. all good", 4, True),
        ("3!", 3, False),
        ("4 - gern wieder", 4, True),
    ],
)
def test_one_to_five_answers_the_feedback_question(body: str, score: int, person: bool) -> None:
    reply = understand(body, ASKED_HOW)
    assert (reply.meaning, reply.number, reply.for_a_person) == (Meaning.FEEDBACK, score, person)


@pytest.mark.parametrize("body", ["6", "0", "5 minutes late?", "10", "5:30", "4.5", "the 5 of us"])
def test_not_every_number_is_a_score(body: str) -> None:
    assert understand(body, ASKED_HOW).meaning is Meaning.OTHER


def test_the_words_of_a_score_are_kept() -> None:
    assert understand("5, very friendly!", ASKED_HOW).words == "very friendly!"


def test_an_open_offer_takes_the_digit_before_feedback_does() -> None:
    both = Asked(choices=(1, 2), feedback=True)
    assert understand("2", both).meaning is Meaning.CHOICE
    assert understand("4", both).meaning is Meaning.FEEDBACK


def test_a_digit_that_answers_nothing_reaches_a_person() -> None:
    assert understand("1", NOTHING).for_a_person


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        ("HELP", Meaning.HELP),
        ("hilfe!", Meaning.HELP),
        ("Ayuda", Meaning.HELP),
        ("info", Meaning.HELP),
        ("START", Meaning.START),
        ("unstop", Meaning.START),
        ("alta", Meaning.START),
    ],
)
def test_help_and_start(body: str, meaning: Meaning) -> None:
    assert understand(body, OFFER).meaning is meaning


def test_a_doubtful_stop_is_obeyed_and_shown_to_a_person() -> None:
    assert understand("CANCEL", OFFER).for_a_person
    assert not understand("STOP", OFFER).for_a_person


@pytest.mark.parametrize(
    "body, meaning",
    [
        ("I sold the car", Meaning.SOLD),
        ("SOLD", Meaning.SOLD),
        ("Habe ich die Nummer falsch?", Meaning.OTHER),
        ("wrong number", Meaning.WRONG),
        ("falsche Nummer", Meaning.WRONG),
        ("Have you sold it?", Meaning.OTHER),
        ("not sold yet", Meaning.OTHER),
    ],
)
def test_sold_and_wrong_are_verbs_of_their_own_and_a_person_reads_them(body: str, meaning: Meaning) -> None:
    for asked in (Asked(), Asked((1, 2)), Asked(feedback=True)):
        understood = understand(body, asked)
        assert understood.meaning is meaning and understood.for_a_person
