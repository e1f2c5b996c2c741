"""The words of the page that an owner gets about themselves, in each language that we speak."""

from __future__ import annotations

from typing import Final

#: The parts and fields that people read; programs get all of them.
SHOWN: Final = {
    "contact": ("name", "phone", "email", "address", "language", "zone", "created_at"),
    "consents": ("at", "purpose", "given", "source", "wording"),
    "vehicles": ("title", "plate", "vin", "since", "until", "messages"),
    "cases": ("opened_at", "title", "state", "note"),
    "alerts": ("first_at", "because", "state"),
    "visits": ("starts_at", "kind", "state", "address", "finding"),
    "drives": ("starts_at", "kind", "state", "address"),
    "extra_work": ("title", "answer", "answered_at"),
    "texts_to_them": ("queued_at", "body", "state"),
    "texts_from_them": ("received_at", "body"),
    "notices_about_them": ("queued_at", "body"),
    "answers": ("asked_at", "score", "words"),
    "offers": ("made_at", "kind", "state"),
    "links": ("created_at", "purpose", "expires_at"),
    "refused_messages": ("received_at", "reason", "detail"),
    "texts_on_the_demo_phone": ("at", "body"),
    "what_happened": ("at", "noun", "new", "reason"),
}

_EN = {
    "heading": "What we hold about you", "title": "What", "lead": "Everything that {dealer} holds about {name}, as of {made}. Of your cars only what came while they were yours.", "none": "Nothing is held of these kinds",
    "print": "Print", "back": "Back to the desk", "readings": "What your cars said message by message is a file of its own.",
    "contact": "You and how we reach you", "consents": "What you agreed to", "vehicles": "Your cars", "cases": "What was the matter", "alerts": "What your cars reported",
    "visits": "Visits", "drives": "Drives", "extra_work": "Extra work", "texts_to_them": "Texts to you", "texts_from_them": "Texts from you",
    "notices_about_them": "Notes to our people about you", "answers": "Your answers to our question", "offers": "Offers", "links": "Links that you were sent",
    "refused_messages": "Messages of your cars that we did not believe", "texts_on_the_demo_phone": "Texts on the demo phone", "what_happened": "Who did what",
    "name": "Name", "phone": "Phone", "email": "E-mail", "address": "Address", "language": "Language", "zone": "Time zone", "created_at": "Since", "at": "When",
    "purpose": "About", "given": "Agreed", "source": "Where", "wording": "Words", "plate": "Plate", "vin": "VIN", "since": "Yours since", "until": "Until", "messages": "Messages",
    "opened_at": "When", "state": "State", "note": "What you said", "first_at": "When", "because": "What", "starts_at": "When", "kind": "How", "finding": "Found",
    "answer": "Your answer", "answered_at": "Answered", "queued_at": "When", "body": "Words", "received_at": "When", "asked_at": "Asked", "score": "Score", "words": "Words",
    "made_at": "When", "expires_at": "Until", "reason": "Why", "detail": "In detail", "noun": "What", "new": "Became", "yes": "yes", "no": "no",
}  # fmt: skip
_DE = {
    "heading": "Was wir über Sie gespeichert haben", "title": "Was", "lead": "Alles, was {dealer} über {name} gespeichert hat, Stand {made}. Von Ihren Autos nur, was kam, während sie Ihnen gehörten.",
    "none": "Nichts gespeichert ist von diesen Arten", "print": "Drucken", "back": "Zurück zum Pult", "readings": "Was Ihre Autos Nachricht für Nachricht gesagt haben, ist eine eigene Datei.",
    "contact": "Sie und wie wir Sie erreichen", "consents": "Wozu Sie Ja oder Nein gesagt haben", "vehicles": "Ihre Autos", "cases": "Was los war", "alerts": "Was Ihre Autos gemeldet haben",
    "visits": "Besuche", "drives": "Fahrten", "extra_work": "Zusätzliche Arbeiten", "texts_to_them": "Nachrichten an Sie", "texts_from_them": "Nachrichten von Ihnen",
    "notices_about_them": "Hinweise an unsere Leute über Sie", "answers": "Ihre Antworten auf unsere Frage", "offers": "Angebote", "links": "Links, die Sie bekamen",
    "refused_messages": "Nachrichten Ihrer Autos, die wir nicht geglaubt haben", "texts_on_the_demo_phone": "Nachrichten auf dem Demo-Telefon", "what_happened": "Wer was getan hat",
    "name": "Name", "phone": "Telefon", "email": "E-Mail", "address": "Adresse", "language": "Sprache", "zone": "Zeitzone", "created_at": "Seit", "at": "Wann",
    "purpose": "Worum es geht", "given": "Zugestimmt", "source": "Wo", "wording": "Wortlaut", "plate": "Kennzeichen", "vin": "FIN", "since": "Ihres seit", "until": "Bis", "messages": "Nachrichten",
    "opened_at": "Wann", "state": "Stand", "note": "Was Sie sagten", "first_at": "Wann", "because": "Was", "starts_at": "Wann", "kind": "Wie", "finding": "Gefunden",
    "answer": "Ihre Antwort", "answered_at": "Beantwortet", "queued_at": "Wann", "body": "Wortlaut", "received_at": "Wann", "asked_at": "Gefragt", "score": "Note", "words": "Wortlaut",
    "made_at": "Wann", "expires_at": "Bis", "reason": "Warum", "detail": "Genauer", "noun": "Was", "new": "Wurde", "yes": "ja", "no": "nein",
}  # fmt: skip
_ES = {
    "heading": "Lo que guardamos sobre usted", "title": "Qué", "lead": "Todo lo que {dealer} guarda sobre {name}, a fecha de {made}. De sus coches, solo lo que llegó mientras eran suyos.",
    "none": "No se guarda nada de estos tipos", "print": "Imprimir", "back": "Volver al mostrador", "readings": "Lo que sus coches dijeron mensaje a mensaje es un archivo aparte.",
    "contact": "Usted y cómo le contactamos", "consents": "Lo que aceptó o no", "vehicles": "Sus coches", "cases": "Qué pasaba", "alerts": "Lo que avisaron sus coches",
    "visits": "Visitas", "drives": "Trayectos", "extra_work": "Trabajos adicionales", "texts_to_them": "Mensajes a usted", "texts_from_them": "Mensajes suyos",
    "notices_about_them": "Avisos a nuestro personal sobre usted", "answers": "Sus respuestas a nuestra pregunta", "offers": "Ofertas", "links": "Enlaces que recibió",
    "refused_messages": "Mensajes de sus coches que no creímos", "texts_on_the_demo_phone": "Mensajes en el teléfono de prueba", "what_happened": "Quién hizo qué",
    "name": "Nombre", "phone": "Teléfono", "email": "Correo", "address": "Dirección", "language": "Idioma", "zone": "Zona horaria", "created_at": "Desde", "at": "Cuándo",
    "purpose": "Asunto", "given": "Aceptado", "source": "Dónde", "wording": "Palabras", "plate": "Matrícula", "vin": "VIN", "since": "Suyo desde", "until": "Hasta", "messages": "Mensajes",
    "opened_at": "Cuándo", "state": "Estado", "note": "Lo que dijo", "first_at": "Cuándo", "because": "Qué", "starts_at": "Cuándo", "kind": "Cómo", "finding": "Encontrado",
    "answer": "Su respuesta", "answered_at": "Respondido", "queued_at": "Cuándo", "body": "Palabras", "received_at": "Cuándo", "asked_at": "Preguntado", "score": "Nota", "words": "Palabras",
    "made_at": "Cuándo", "expires_at": "Hasta", "reason": "Por qué", "detail": "En detalle", "noun": "Qué", "new": "Pasó a", "yes": "sí", "no": "no",
}  # fmt: skip
LANGUAGES: Final = {"en": _EN, "de": _DE, "es": _ES}
#: States and kinds as they are kept -> German, Spanish.
_STATES = {
    "open": ("offen", "abierto"), "done": ("erledigt", "hecho"), "dismissed": ("geschlossen", "cerrado"), "booked": ("vereinbart", "acordado"), "contacted": ("angeschrieben", "contactado"),
    "in_workshop": ("in der Werkstatt", "en el taller"), "verifying": ("wird geprüft", "en comprobación"), "agreed": ("vereinbart", "acordado"), "completed": ("abgeschlossen", "terminado"),
    "cancelled": ("abgesagt", "cancelado"), "sent": ("gesendet", "enviado"), "delivered": ("zugestellt", "entregado"), "failed": ("nicht zugestellt", "fallido"), "queued": ("wartet", "en espera"),
    "pickup": ("Abholung", "recogida"), "drop_off": ("Sie bringen es", "usted lo trae"), "waiting": ("Sie warten", "usted espera"), "collect": ("Abholung", "recogida"), "return": ("Rückgabe", "devolución"),
    "accepted": ("angenommen", "aceptada"), "declined": ("abgelehnt", "rechazada"), "expired": ("abgelaufen", "caducada"), "withdrawn": ("zurückgezogen", "retirada"), "active": ("besteht", "activo"),
    "resolved": ("behoben", "resuelto"), "pending": ("im Anlauf", "pendiente"), "lapsed": ("vergangen", "pasado"), "planned": ("geplant", "previsto"), "handed_over": ("übergeben", "entregado"),
    "at_workshop": ("in der Werkstatt", "en el taller"), "approved": ("ja", "sí"), "safety": ("Sicherheit", "seguridad"), "service": ("Wartung", "mantenimiento"), "status": ("Besuch", "visita"),
    "case": ("Anliegen", "asunto"), "owner": ("Ihre Angaben", "sus datos"), "booking": ("Besuch", "visita"), "leg": ("Fahrt", "trayecto"), "offer": ("Angebot", "oferta"),
    "exported": ("ausgehändigt", "entregado"), "acknowledged": ("übernommen", "asumido"), "added": ("hinzugefügt", "añadido"), "changed": ("geändert", "cambiado"), "assigned": ("zugeteilt", "asignado"),
    "survey": ("Frage danach", "encuesta"), "arrived": ("ist da", "llegado"), "working": ("in Arbeit", "en curso"), "ready": ("fertig", "listo"),
}  # fmt: skip


def spoken(language: str) -> str:
    """That language, or English where we do not speak it."""
    return language if language in LANGUAGES else "en"


def of(language: str) -> dict[str, str]:
    """Its words."""
    return LANGUAGES[spoken(language)]


def state(say: dict[str, str], value: str) -> str:
    """A state or kind in words; what is no such word stays as it is."""
    if value in _STATES and say is not _EN:
        return _STATES[value][0 if say is _DE else 1]
    return value.replace("_", " ") if value in _STATES else value
