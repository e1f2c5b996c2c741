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
    "handovers": ("recorded_at", "kind", "odometer_km", "name", "note", "hash"),
    "photos": ("stored_at", "kind", "view", "sha256"),
    "witnesses": ("since", "until", "distance_km", "top_speed_kmh"),
    "promises": ("due_at", "what", "state"),
    "told_by_phone": ("at",),
    "waits": ("made_at", "what", "due_at"),
    "extra_work": ("title", "answer", "answered_at"),
    "texts_to_them": ("queued_at", "body", "state"),
    "texts_from_them": ("received_at", "body"),
    "notes_about_them": ("at", "body"),
    "answers_not_sent": ("at", "body"),
    "notices_about_them": ("queued_at", "body"),
    "answers": ("asked_at", "score", "words"),
    "offers": ("made_at", "kind", "state"),
    "links": ("created_at", "purpose", "expires_at"),
    "refused_messages": ("received_at", "reason", "detail"),
    "texts_on_the_demo_phone": ("at", "body"),
    "what_happened": ("at", "noun", "new", "reason"),
}

_TAGS: Final = ("en", "de", "es")
#: What stands on the page, in the order of `_TAGS`.
_WORDS: Final = {
    "heading": ("What we hold about you", "Was wir über Sie gespeichert haben", "Lo que guardamos sobre usted"),
    "title": ("What", "Was", "Qué"),
    "lead": (
        "Everything that {dealer} holds about {name}, as of {made}. Of your cars only what came while they were yours.",
        "Alles, was {dealer} über {name} gespeichert hat, Stand {made}. Von Ihren Autos nur, was kam, während sie "
        "Ihnen gehörten.",
        "Todo lo que {dealer} guarda sobre {name}, a fecha de {made}. De sus coches, solo lo que llegó mientras eran "
        "suyos.",
    ),
    "none": (
        "Nothing is held of these kinds",
        "Nichts gespeichert ist von diesen Arten",
        "No se guarda nada de estos tipos",
    ),
    "print": ("Print", "Drucken", "Imprimir"),
    "back": ("Back to the desk", "Zurück zum Pult", "Volver al mostrador"),
    "readings": (
        "What your cars said message by message is a file of its own.",
        "Was Ihre Autos Nachricht für Nachricht gesagt haben, ist eine eigene Datei.",
        "Lo que sus coches dijeron mensaje a mensaje es un archivo aparte.",
    ),
    "contact": ("You and how we reach you", "Sie und wie wir Sie erreichen", "Usted y cómo le contactamos"),
    "consents": ("What you agreed to", "Wozu Sie Ja oder Nein gesagt haben", "Lo que aceptó o no"),
    "vehicles": ("Your cars", "Ihre Autos", "Sus coches"),
    "cases": ("What was the matter", "Was los war", "Qué pasaba"),
    "alerts": ("What your cars reported", "Was Ihre Autos gemeldet haben", "Lo que avisaron sus coches"),
    "visits": ("Visits", "Besuche", "Visitas"),
    "drives": ("Drives", "Fahrten", "Trayectos"),
    "handovers": ("When your car changed hands", "Wenn Ihr Auto übergeben wurde", "Cuando su coche cambió de manos"),
    "witnesses": (
        "What your car says of our drives",
        "Was Ihr Auto über unsere Fahrten sagt",
        "Lo que su coche dice de nuestros trayectos",
    ),
    "distance_km": ("Kilometres driven", "Gefahrene Kilometer", "Kilómetros recorridos"),
    "top_speed_kmh": ("Top speed, km/h", "Höchstgeschwindigkeit, km/h", "Velocidad máxima, km/h"),
    "photos": ("Photos of your car", "Fotos Ihres Autos", "Fotos de su coche"),
    "promises": ("Times that we gave you", "Zeiten, die wir Ihnen genannt haben", "Horas que le dimos"),
    "notes_about_them": ("What we noted about you", "Was wir über Sie notiert haben", "Lo que anotamos sobre usted"),
    "answers_not_sent": ("Answers we began", "Angefangene Antworten", "Respuestas empezadas"),
    "told_by_phone": (
        "Calls: your car must not be driven on",
        "Anrufe: Ihr Auto darf nicht weitergefahren werden",
        "Llamadas: su coche no debe seguir circulando",
    ),
    "waits": ("What the work waited for", "Worauf die Arbeit gewartet hat", "Lo que el trabajo tuvo que esperar"),
    "extra_work": ("Extra work", "Zusätzliche Arbeiten", "Trabajos adicionales"),
    "texts_to_them": ("Texts to you", "Nachrichten an Sie", "Mensajes a usted"),
    "texts_from_them": ("Texts from you", "Nachrichten von Ihnen", "Mensajes suyos"),
    "notices_about_them": (
        "Notes to our people about you",
        "Hinweise an unsere Leute über Sie",
        "Avisos a nuestro personal sobre usted",
    ),
    "answers": ("Your answers to our question", "Ihre Antworten auf unsere Frage", "Sus respuestas a nuestra pregunta"),
    "offers": ("Offers", "Angebote", "Ofertas"),
    "links": ("Links that you were sent", "Links, die Sie bekamen", "Enlaces que recibió"),
    "refused_messages": (
        "Messages of your cars that we did not believe",
        "Nachrichten Ihrer Autos, die wir nicht geglaubt haben",
        "Mensajes de sus coches que no creímos",
    ),
    "texts_on_the_demo_phone": (
        "Texts on the demo phone",
        "Nachrichten auf dem Demo-Telefon",
        "Mensajes en el teléfono de prueba",
    ),
    "what_happened": ("Who did what", "Wer was getan hat", "Quién hizo qué"),
    "name": ("Name", "Name", "Nombre"),
    "phone": ("Phone", "Telefon", "Teléfono"),
    "email": ("E-mail", "E-Mail", "Correo"),
    "address": ("Address", "Adresse", "Dirección"),
    "language": ("Language", "Sprache", "Idioma"),
    "zone": ("Time zone", "Zeitzone", "Zona horaria"),
    "created_at": ("Since", "Seit", "Desde"),
    "at": ("When", "Wann", "Cuándo"),
    "purpose": ("About", "Worum es geht", "Asunto"),
    "given": ("Agreed", "Zugestimmt", "Aceptado"),
    "source": ("Where", "Wo", "Dónde"),
    "wording": ("Words", "Wortlaut", "Palabras"),
    "plate": ("Plate", "Kennzeichen", "Matrícula"),
    "vin": ("VIN", "FIN", "VIN"),
    "since": ("Yours since", "Ihres seit", "Suyo desde"),
    "until": ("Until", "Bis", "Hasta"),
    "messages": ("Messages", "Nachrichten", "Mensajes"),
    "opened_at": ("When", "Wann", "Cuándo"),
    "state": ("State", "Stand", "Estado"),
    "note": ("What you said", "Was Sie sagten", "Lo que dijo"),
    "recorded_at": ("Written", "Geschrieben", "Escrito"),
    "odometer_km": ("Kilometres", "Kilometer", "Kilómetros"),
    "hash": ("Seal (SHA-256)", "Siegel (SHA-256)", "Sello (SHA-256)"),
    "stored_at": ("Taken", "Aufgenommen", "Tomada"),
    "view": ("Shows", "Zeigt", "Muestra"),
    "sha256": ("Seal (SHA-256)", "Siegel (SHA-256)", "Sello (SHA-256)"),
    "first_at": ("When", "Wann", "Cuándo"),
    "because": ("What", "Was", "Qué"),
    "starts_at": ("When", "Wann", "Cuándo"),
    "kind": ("How", "Wie", "Cómo"),
    "finding": ("Found", "Gefunden", "Encontrado"),
    "answer": ("Your answer", "Ihre Antwort", "Su respuesta"),
    "answered_at": ("Answered", "Beantwortet", "Respondido"),
    "queued_at": ("When", "Wann", "Cuándo"),
    "body": ("Words", "Wortlaut", "Palabras"),
    "received_at": ("When", "Wann", "Cuándo"),
    "asked_at": ("Asked", "Gefragt", "Preguntado"),
    "score": ("Score", "Note", "Nota"),
    "words": ("Words", "Wortlaut", "Palabras"),
    "made_at": ("When", "Wann", "Cuándo"),
    "expires_at": ("Until", "Bis", "Hasta"),
    "reason": ("Why", "Warum", "Por qué"),
    "detail": ("In detail", "Genauer", "En detalle"),
    "noun": ("What", "Was", "Qué"),
    "new": ("Became", "Wurde", "Pasó a"),
    "due_at": ("By", "Bis", "Hasta"),
    "what": ("What", "Was", "Qué"),
    "yes": ("yes", "ja", "sí"),
    "no": ("no", "nein", "no"),
}
LANGUAGES: Final = {tag: {name: words[n] for name, words in _WORDS.items()} for n, tag in enumerate(_TAGS)}
#: States and kinds as they are kept -> German, Spanish.
_STATES = {
    "open": ("offen", "abierto"),
    "done": ("erledigt", "hecho"),
    "dismissed": ("geschlossen", "cerrado"),
    "booked": ("vereinbart", "acordado"),
    "contacted": ("angeschrieben", "contactado"),
    "in_workshop": ("in der Werkstatt", "en el taller"),
    "verifying": ("wird geprüft", "en comprobación"),
    "agreed": ("vereinbart", "acordado"),
    "completed": ("abgeschlossen", "terminado"),
    "cancelled": ("abgesagt", "cancelado"),
    "sent": ("gesendet", "enviado"),
    "delivered": ("zugestellt", "entregado"),
    "failed": ("nicht zugestellt", "fallido"),
    "queued": ("wartet", "en espera"),
    "pickup": ("Abholung", "recogida"),
    "mobile_repair": ("mobile Reparatur", "reparación móvil"),
    "tow": ("Abschleppwagen", "grúa"),
    "drop_off": ("Sie bringen es", "usted lo trae"),
    "waiting": ("Sie warten", "usted espera"),
    "shuttle": ("Sie bringen es, mit Fahrdienst", "usted lo trae, con lanzadera"),
    "collect": ("Abholung", "recogida"),
    "return": ("Rückgabe", "devolución"),
    "accepted": ("angenommen", "aceptada"),
    "declined": ("abgelehnt", "rechazada"),
    "expired": ("abgelaufen", "caducada"),
    "withdrawn": ("zurückgezogen", "retirada"),
    "active": ("besteht", "activo"),
    "resolved": ("behoben", "resuelto"),
    "pending": ("im Anlauf", "pendiente"),
    "lapsed": ("vergangen", "pasado"),
    "planned": ("geplant", "previsto"),
    "handed_over": ("übergeben", "entregado"),
    "at_workshop": ("in der Werkstatt", "en el taller"),
    "approved": ("ja", "sí"),
    "safety": ("Sicherheit", "seguridad"),
    "service": ("Wartung", "mantenimiento"),
    "status": ("Besuch", "visita"),
    "case": ("Anliegen", "asunto"),
    "owner": ("Ihre Angaben", "sus datos"),
    "booking": ("Besuch", "visita"),
    "leg": ("Fahrt", "trayecto"),
    "offer": ("Angebot", "oferta"),
    "exported": ("ausgehändigt", "entregado"),
    "acknowledged": ("übernommen", "asumido"),
    "added": ("hinzugefügt", "añadido"),
    "changed": ("geändert", "cambiado"),
    "assigned": ("zugeteilt", "asignado"),
    "survey": ("Frage danach", "encuesta"),
    "arrived": ("ist da", "llegado"),
    "working": ("in Arbeit", "en curso"),
    "ready": ("fertig", "listo"),
    "bring": ("Sie bringen es", "usted lo trae"),
    "kept": ("gehalten", "cumplida"),
    "moved": ("verlegt", "cambiada"),
    "broken": ("nicht gehalten", "incumplida"),
    "void": ("entfallen", "anulada"),
}


def spoken(language: str) -> str:
    """That language, or English where we do not speak it."""
    return language if language in LANGUAGES else "en"


def of(language: str) -> dict[str, str]:
    """Its words."""
    return LANGUAGES[spoken(language)]


def state(say: dict[str, str], value: str) -> str:
    """A state or kind in words; what is no such word stays as it is."""
    if value not in _STATES:
        return value
    german, spanish = _STATES[value]
    if say is LANGUAGES["de"]:
        return german
    return spanish if say is LANGUAGES["es"] else value.replace("_", " ")
