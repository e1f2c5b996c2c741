"""Whether a text asks for no more texts, in the languages in which owners answer.

A sentence does when it says so (`_SAYS`: a word or a turn of phrase) and all else in it is what people put around that
(`_AROUND`: courtesies, "texts", "to me"). One word beside it that is about something else, such as "the work", "at
5" or "appointment", and a person reads it. What is only a greeting or a reason may stand before or after it.

The words are folded as `rules.service.replies.normal` folds them. How well it hears is counted over a corpus:
`telltale prove replies`.
"""

from __future__ import annotations

import re


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_SAYS = {
    "en": (
        r"stop(all|s)?|unsub(scribe)?|opt(ing)? ?out|opt (me )?out|quit|end|revoke|cancel(all)?|remove|cease|desist",
        r"(do not|dont|don t|never|no longer) (ever )?(text|message|contact|write|send|sms)",
        r"no( more| further)? (texts|messages|sms|alerts|e ?mails|mails)|no more",
        r"(do not|dont|don t|no longer) (want|wish|need|like)"
        r"(?=.* (texts|messages|sms|alerts|notifications|e ?mails|mails)\b)",
        r"(never|no longer|do not|dont|don t) (ever )?(want|wish) to hear from you|"
        r"stop contacting (me|us) by (text|sms|email)",
        r"(want|get me|get us) off(?=.* list\b)|withdraw my (consent|permission)",
        r"(take|delete|lose|strike|remove|block) (me|us|my number|this number|this phone)|leave (me|us) alone",
    ),
    "de": (
        r"stop(p|pen|pt)?|abmeld(en|ung)|abbestellen|austragen|ende|unterlassen",
        r"melde(n sie)? (mich|meine nummer)( hiermit)?( ab)?|melde ich mich ab",
        r"(keine|keinerlei|nie wieder)( weiteren| solchen)? (sms|texte|nachrichten?|mitteilungen|meldungen|"
        r"benachrichtigungen|werbung|(e )?mails)",
        r"(schreib\w*|schick\w*|send\w*|kontaktier\w*)( sie| ihr)?( mir| mich| uns)? (bitte )?"
        r"(nicht mehr|nichts mehr|nie wieder|nie mehr)",
        r"nicht mehr (schreiben|kontaktier\w+|angeschrieben|anschreiben|senden|schicken)|aufhoren",
        r"(will|mochte) (das|diese|solche) nicht mehr (bekommen|erhalten|empfangen)",
        r"bestelle( ich)?( das| alles| hiermit| die)* ab|(meine |diese )?nummer loschen",
        r"widerspreche (weiteren|den|allen) (nachrichten|sms|(e )?mails|texten)",
        r"(will|mochte)( von ihnen| von euch)? nichts mehr (horen|bekommen|lesen)",
        r"hor(en sie|t)?( bitte| endlich)* auf|lass(en sie|t) mich in ruhe|schluss mit den (sms|nachrichten|texten)",
        r"(streich\w*|losch\w*|entfern\w*|nehm\w*)( sie)?( bitte)? (mich|meine nummer)",
        r"widerrufe( ich)?( hiermit)? meine (einwilligung|zustimmung)",
    ),
    "es": (
        r"stop|baja|alto|par(ar|e|ad|en)|detener|desuscribir(me)?|basta",
        r"no mas( (mensajes|textos|sms|avisos|correos|e ?mails))?|ni un mensaje mas|no escriban? mas",
        r"no (quiero|deseo|necesito)(?=.* (mensajes|textos|sms|avisos|notificaciones|correos|e ?mails)\b)",
        r"no me (escrib|envi|mand|contact|molest)\w+|no me lleguen?|no vuelvan? a (escribirme|contactarme|molestarme)",
        r"(dej|par)\w+( ya)? de (escribirme|enviarme|mandarme|molestarme|contactarme)|dej(e|en)me en paz",
        r"(borr|quit|elimin)\w* (mi numero)|(borr|quit|elimin|saqu)(e|en)me|cancel\w+ (los mensajes|"
        r"((la|mi) )?suscripcion)",
        r"(retiro|revoco|anul\w+) (mi|el) (consentimiento|suscripcion)|dejar de recibir",
        r"(borr|quit|elimin)\w* mis datos de (la|su) lista|no (quiero|deseo) que me (escrib|envi|mand|contact)\w+",
    ),
    "ar": (
        r"توقف(وا)?|ايقاف|اوقف(وا)?|قف|الغاء (الاشتراك|اشتراكي)|الغوا اشتراكي|كفى|يكفي(?= رسايل)",
        r"(لا|بدون) (ال)?(مزيد من ال)?(رسايل|بريد)|لا مزيد من (الرسايل|البريد)|لا داعي للرسايل",
        r"لا (اريد|ارغب)(?=.* (ال|هذه ال)?(رسايل|بريد)(كم)?( |$))",
        r"لا ترسل(وا)?|لا تراسل(ني|وني)|لا تتواصل(وا)?|لا تكتب(وا)? (لي|الي)|لا تزعج(ني|وني)|لا اريد ان تراسل(ني|وني)",
        r"(احذف|ازيل)(وا)? (رقمي|اسمي|بريدي)|ازيلوني|احذف(ني|وني)|اتركوني وشاني|اسحب موافقتي",
        r"كف(وا)? عن|التوقف|الغ(اء|وا) الرسايل",
    ),
    "fr": (r"stop|arret(er)?|ne plus envoyer",),
}
_AROUND = {
    "en": _words("""
        please pls plz now it this these those that the all any more me us my mine from to of off your you
        yours at i im we our want wish would like and or just can could will kindly further again anymore
        ever immediately once already sending send texting text texts sms messages message messaging msg
        msgs contacting contact writing write spam spamming bothering harassing emails alerts notifications
        list lists mailing texting database system number thanks thank ok okay everything forever right
        completely do not dont no longer get getting receive receiving have read such really after be wanted
        in phone said consent permission emailing mails mail email e hear
        anything else longer
    """),
    "de": _words("""
        bitte sofort jetzt endlich alle alles mich mir uns ich mochte will wunsche brauche danke das die den
        der dem diese dieses dieser ihrer ihrem eurer eurem sie ihr ihnen euch von aus an ab in mehr weitere
        weiteren keine keinerlei schicken senden schreiben zu nachrichten nachricht texte sms mitteilungen
        meldungen newsletter dienst liste verteiler nummer meine hiermit und bekommen erhalten haben
        empfangen werden kontaktiert angeschrieben wieder mal damit hiervon davon lassen sehr vielen
        mails mail e emails email nie
        mit raus heraus
    """),
    "es": _words("""
        por favor ya todo todos todas los las la el lo mensajes mensaje textos texto sms avisos
        notificaciones quiero me gracias su sus de del ahora mas recibir estos esos esto ustedes usted suyos
        lista deseo dar darme dame deme denme no numero mi y ni un les en suscripcion inmediatamente
        correos correo email emails doy que escribirme consentimiento el datos
        nada mandarme enviarme contactarme
    """),
    "ar": _words("""
        مرحبا من فضلك فضلكم رجاء الرجاء الان فورا بعد اليوم لي الي عن ارسال مراسلتي الرسايل رسايل رسايلكم
        هذه المزيد مزيد جميع كل القايمة قايمتكم من اريد ارغب في استلام مرة اخرى ابدا معي الي رقمي شكرا لا و
        منكم منك اي بريد بريدا بريدكم البريد الارسال ارجو على القايمة
        شيء استلام
    """),
    "fr": _words("les ces sil vous plait messages merci"),
}
#: Words that the providers take as STOP but that may be about a booking: a person looks too.
DOUBTFUL = frozenset({"cancel", "end", "ende", "quit", "alto", "remove"})
#: A sentence that says nothing but hello, thanks or why: it may stand beside one that says STOP.
_BESIDE = frozenset(
    """
hi|hello|hey|i have had enough|ive had enough|ok|okay|thanks|thank you|thanks but
enough|im not interested|i am not interested|not interested
who is this|this is spam|wrong number|hallo|guten tag|danke|es reicht|kein interesse|wer ist das|das ist spam|hola
buenos dias|gracias|no gracias|no me interesa|quien es|basta|مرحبا|شكرا|السلام عليكم|no|nein|لا|sorry|please|bitte
por favor
""".replace("\n", "|").split("|")
)
_CLAUSES = re.compile(r"[.,;:!?¡¿،؛؟\n\r()\u2026-]+|\bbut\b|\baber\b|\bpero\b|\bso\b", re.IGNORECASE)
_PATTERNS = {tag: re.compile(rf"(?<!\S)(?:{'|'.join(says)})(?!\S)") for tag, says in _SAYS.items()}


def clauses(body: str) -> list[str]:
    """What stands between the punctuation."""
    return _CLAUSES.split(body)


def asks(whole: str, parts: list[str]) -> bool:
    """`whole` and each of `parts` (its sentences) are folded. Whether it asks for no more texts, and nothing else."""
    if _one(whole):
        return True
    heard = [part for part in parts if part and part not in _BESIDE]
    return bool(heard) and all(_one(part) for part in heard)


def _one(plain: str) -> bool:
    """In one language, with nothing beside it that is about something else."""
    for tag, pattern in _PATTERNS.items():
        rest = pattern.sub(" ", plain)
        if rest != plain and all(word in _AROUND[tag] for word in rest.split()):
            return True
    return False
