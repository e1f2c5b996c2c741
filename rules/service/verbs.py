"""Whether a text says that the car is sold, or that the number is not its reader's, in the languages in which owners
answer.

As `rules.service.stop_words`: a sentence says so when it holds the word or a turn of phrase (`_SOLD`, `_WRONG`) and
all else in it is what people put around that, or the car's own name, or the owner's. "I want to sell it", "not sold
yet" and whatever asks something are for a person. How well it hears is counted over a corpus: `telltale prove replies`.
"""

from __future__ import annotations

import re
from collections.abc import Collection


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_SOLD = {
    "en": (
        r"(ive |weve |have |has been |is |its |was |were |already |just |recently )*sold( on)?|"
        r"traded (it|the car|my car|this car) in",
        r"no longer (own|have) (it|the|this|that|my)|(do not|dont|don t) own (it|the|this|that)",
        r"(do not|dont|don t) (own|have) (it|the car|this car|that car|my car) (any ?more|any longer|now)",
        r"(is )?(no longer mine|not mine any ?more|no longer my|not my car any ?more)",
        r"belongs to (someone|somebody) else( now)?|has (a new|another) owner( now)?",
    ),
    "de": (
        r"(ist |wurde |habe |haben |hab |schon |bereits |inzwischen |langst )*verkauft( worden)?|verkaufte",
        r"gehort (mir nicht mehr|uns nicht mehr|(inzwischen |jetzt )?jemand anderem)|"
        r"ist nicht mehr (meins|mein auto|meiner)",
        r"(das|den|dieses|diesen|mein|meinen) (auto|wagen|fahrzeug) nicht mehr",
        r"nicht mehr (der (besitzer|eigentumer|halter)|die (besitzerin|eigentumerin|halterin))",
        r"hat (inzwischen |jetzt )?(einen neuen|einen anderen) (besitzer|halter|eigentumer)",
    ),
    "es": (
        r"(lo |la |he |hemos |ya |esta |fue |ha sido )*vend(i|ido|ida|imos)",
        r"ya no (tengo|tenemos) (el|la|este|ese|mi) (coche|carro|auto|vehiculo)|ya no lo tengo",
        r"ya no (es (mio|mia|mi coche|nuestro)|soy (el dueno|la duena|el propietario|la propietaria))",
        r"(es|pertenece) (de|a) (otro|otra persona|otro dueno)|tiene (otro|un nuevo) dueno",
    ),
    "ar": (
        r"(لقد |قد )*(بعت|بعنا|بعتها|بعته)|تم بيع|مباعة|بيعت",
        r"لم (تعد|اعد) (السيارة )?(ملكي|لي|املك|امتلك)|لها مالك (اخر|جديد)",
    ),
    "fr": (r"(ai |avons |est |a ete )*vendue?",),
}
_WRONG = {
    "en": (
        r"wrong( number| person| recipient| phone)?|misdialed|not my number",
        r"(do not|dont|don t) (own|have) a (car|vehicle)|never (had|owned) a (car|vehicle)",
        r"(nobody|no one) (here )?((of|by|with) that name|called that)( here)?|"
        r"(is )?not the (person|number) you (want|mean|look for)",
    ),
    "de": (
        r"falsche(n|r)? ((telefon|handy)?nummer|person|empfanger(in)?|adresse|mailadresse)|"
        r"falsch( verbunden)?|verwahlt",
        r"(habe|besitze) (gar |uberhaupt )?kein (auto|fahrzeug)|"
        r"niemand(en)?( hier)? (mit diesem namen|dieses namens)",
    ),
    "es": (
        r"(numero |persona |telefono )?(equivocado|equivocada|erroneo|incorrecto)|error de numero",
        r"(se )?(ha |han )?equivoc(a|an|o|ado|aron)( de (numero|persona|telefono))?",
        r"no tengo (coche|carro|auto|vehiculo)|nadie (con ese nombre|que se llame asi)",
    ),
    "ar": (
        r"(ال)?رقم (ال)?(خطا|خاطي|غلط)|(ال)?شخص (ال)?(خطا|خاطي)|اخطاتم?( في)? (ال)?(رقم|شخص)|خطا|غلط",
        r"ليس لدي سيارة|لا املك سيارة",
    ),
    "fr": (r"mauvais numero|faux numero|erreur de numero|mauvaise personne",),
}
#: These say it only of whom we thought to write to, by name.
_NOT_THEM = {
    "en": (
        r"(im|i am|this is|it is|its|that is|thats) not( mr| mrs| ms)?|(this |it )?(isnt|isn t)( mr| mrs| ms)?",
        r"there is no|no( mr| mrs| ms)?(?=.* here\b)|"
        r"(do not|dont|don t) know( any| anybody called| anyone called| a)?",
    ),
    "de": (
        r"bin nicht( der| die)?( herr| frau)?|ist nicht( der| die)?( herr| frau| (die )?nummer von)?",
        r"kenne (keine?n?|niemanden namens)( herrn| frau)?|(gibt es|wohnt|heisst) (keine?n?|niemand)( herrn?| frau)?",
    ),
    "es": (r"no soy( el| la)?( senor| senora)?|no es( el numero de)?|no conozco a|no (hay|vive)( ningun| ninguna)?",),
    "ar": (r"لست( انا)?( السيد| السيدة)?|ليس رقم|لا اعرف( شخصا( اسمه)?)?",),
    "fr": (r"ne suis pas|pas",),
}
_SOLD_AROUND = {
    "en": _words("""
        i ive we weve it thats the this that my our car cars vehicle auto mine its been has have ve already just
        now since then last this a an week weeks month months year years ago yesterday today in on back before
        to friend brother sister son daughter neighbour neighbor dealer dealership someone somebody else
        privately and so thanks thank you for info fyi hi hello please sorry but any more longer january
        february march april may june july august september october november december monday tuesday wednesday
        thursday friday saturday sunday
    """),
    "de": _words("""
        ich wir es das den der die dieses diesen mein meinen meinem unser unseren auto wagen fahrzeug pkw habe
        haben hab ist wurde worden schon bereits inzwischen langst letzte letzten letztes vor einer einem einen
        woche wochen monat monaten monats jahr jahren gestern heute im an am mai juni juli august september
        oktober november dezember januar februar marz april jemand jemanden anderen anderem privat freund
        bekannten bruder sohn tochter nachbarn handler leider ubrigens danke bitte hallo guten tag jetzt nun bin
        nicht mehr ihn sie mir und zur info montag dienstag mittwoch donnerstag freitag samstag
    """),
    "es": _words("""
        yo el la lo los este ese mi nuestro coche carro auto vehiculo ya he hemos esta ha sido fue hace una un
        dos tres semana semanas mes meses ano anos pasado pasada ayer hoy en a al amigo hermano hijo hija vecino
        concesionario alguien otra otro persona gracias hola buenos dias lo siento por favor enero febrero marzo
        abril mayo junio julio agosto septiembre octubre noviembre diciembre y de que ahora
    """),
    "ar": _words("""
        السيارة سيارتي سيارة هذه تلك الي الان امس اليوم قبل اسبوع شهر سنة الشهر الاسبوع السنة الماضي الماضية لقد
        قد شكرا مرحبا عذرا صديق اخي لشخص شخص اخر عفوا لم تعد ملكي لدي بعد
    """),
    "fr": _words("je j nous la le l ma mon cette voiture ai l auto deja merci bonjour est"),
}
_WRONG_AROUND = {
    "en": _words("""
        you youve are texting reach reached calling you ve have got the this is it i im am think believe
        probably sorry hi hello hey no here not my number person text texted texting message wrong that thats s
        of to please there a called named mr mrs ms phone and name his her their who for number
    """),
    "de": _words("""
        sie haben da hier die das ist ich glaube denke wohl leider sorry entschuldigung hallo guten tag nein
        eine nummer von nicht meine der herr frau herrn bin sind ihr habt mit hat sich dass an am und bei mir
        jemand name namens
    """),
    "es": _words("""
        hola lo siento perdon disculpe buenos dias creo que es este ese el la numero de tiene tienen usted
        ustedes se ha han no soy mi su persona senor senora y con aqui hay vive llamada llamado nadie ninguna
        ningun
    """),
    "ar": _words("""
        عذرا اسف مرحبا هذا هذه هو ليس لديكم لديك انتم انت الي رقم الرقم يبدو ان عفوا لا انا السيد السيدة شكرا
        لقد ارسلتم
    """),
    "fr": _words("bonjour desole c est le vous avez un"),
}
#: A sentence that says nothing else: it may stand beside.
_BESIDE = frozenset(
    """
hi|hello|hey|sorry|thanks|thank you|many thanks|no|ok|please|who is this|hallo|guten tag|danke|vielen dank|nein|bitte
wer ist das|entschuldigung|tut mir leid|hola|gracias|muchas gracias|buenos dias|lo siento|perdon|quien es
مرحبا|شكرا|عذرا
please update your records|please update your list|bitte andern sie das|bonjour|merci|desole|best regards|mfg|regards
mit freundlichen grussen|viele grusse|saludos|bye|fyi|zur info|nur zur info
""".replace("\n", "|").split("|")
)
_ASKS = re.compile(r"[?¿؟]")
_AND = re.compile(r"(?<!\S)(?:and|und|y|و)(?!\S)")
_COMPILED = {
    verb: {tag: re.compile(rf"(?<!\S)(?:{'|'.join(one)})(?!\S)") for tag, one in table.items()}
    for verb, table in (("sold", _SOLD), ("wrong", _WRONG), ("not them", _NOT_THEM))
}
_AROUND = {"sold": _SOLD_AROUND, "wrong": _WRONG_AROUND, "not them": _WRONG_AROUND}


def sold(body: str, parts: list[str], own: Collection[str] = ()) -> bool:
    """`parts` are the folded sentences of `body`, `own` the folded words that name the owner's cars."""
    return _says("sold", body, parts, frozenset(own))


def wrong(body: str, parts: list[str], own: Collection[str] = ()) -> bool:
    """`own` are the folded words that name whom we thought to write to."""
    return _says("wrong", body, parts, frozenset(own))


def _says(verb: str, body: str, parts: list[str], own: frozenset[str]) -> bool:
    if _ASKS.search(body):
        return False
    heard = [part for part in parts if part and part not in _BESIDE]
    return (
        bool(heard)
        and any(_part(verb, part, own) for part in heard)
        and all(_part(verb, part, own) or _named(verb, part, own) for part in heard)
    )


def pieces(parts: list[str]) -> list[str]:
    """The sentences, cut at "and" too."""
    return [piece.strip() for part in parts for piece in _AND.split(part) if piece.strip()]


def _part(verb: str, part: str, own: frozenset[str]) -> bool:
    """Whether this one folded sentence says it, and nothing else; "and" may join two that do."""
    if _one(verb, part, own):
        return True
    joined = pieces([part])
    return len(joined) > 1 and all(_one(verb, piece, own) or piece in _BESIDE for piece in joined)


def _named(verb: str, part: str, own: frozenset[str]) -> bool:
    """A piece that is only a name, as in "Emma Clarke, sold"."""
    return verb == "sold" and all(word in own for word in part.split())


def _one(verb: str, part: str, own: frozenset[str]) -> bool:
    """In one language. Digits tell when or how often, never something else."""
    for kind in (verb, "not them") if verb == "wrong" else (verb,):
        for tag, pattern in _COMPILED[kind].items():
            rest, around = pattern.sub(" ", part), _AROUND[kind][tag]
            named = any(word in own for word in rest.split())
            if (
                rest != part
                and (named or kind != "not them")
                and all(word in around or word in own or word.isdigit() for word in rest.split())
            ):
                return True
    return False
