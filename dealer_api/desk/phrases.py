"""Every phrase that can reach the desk: those of the templates, of the scripts, and of the code that makes sentences.

`python -m dealer_api.desk.phrases` brings the catalogues up to date: what is new stands there without a
translation (and a test is red until it has one), what nobody says any more is taken out.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog as Po
from babel.messages.pofile import write_po

from dealer_api import reader
from dealer_api.desk import formatting
from dealer_api.desk.drawing import Speaking
from dealer_api.desk.languages import catalogue
from dealer_api.desk.languages.marking import mark
from dealer_api.desk.languages.sentences import sentences_of
from schemas.scope import SCOPES
from schemas.signal import BY_ID

SIGNALS = tuple(BY_ID.values())
ROOT = Path(__file__).resolve().parents[2]
DESK = ROOT / "dealer_api" / "desk"
#: Code that makes sentences which the desk shows.
_TALKING = (
    "rules/detectors",
    "rules/engine/rereading.py",
    "rules/service/casework.py",
    "rules/service/driving.py",
    "rules/catalogue",
    "rules/service/operations.py",
    "rules/service/quick_replies.py",
    "rules/service/funnel.py",
    "rules/service/healing.py",
    "schemas/account.py",
    "schemas/setting.py",
    "schemas/scope.py",
    "schemas/journey.py",
    "dealer_api/numbers.py",
    "actions/visitor.py",
    "actions/offers.py",
    "actions/free_time.py",
    "rules/service/places.py",
    "schemas/keeping.py",
    "schemas/retention.py",
)
#: Rooms whose refusals are for programs, and for owners, who have their own words.
_SILENT = (
    "dealer_api/api/",
    "dealer_api/owner",
    "dealer_api/inbound",
    "store/idempotency",
    "schemas/mapping",
    "workers/sealing",
    "dealer_api/desk/languages",
    "dealer_api/desk/phrases",
    "dealer_api/desk/drawing",
    "dealer_api/desk/export",
    "dealer_api/desk/routes",
)
_TABLES_OF_STATES = ("STATES", "BOOKINGS", "LEGS", "OFFERS", "ALERTS", "MESSAGES", "KINDS", "ROLES")
_SAID_AS = frozenset({"reason", "what", "new", "because", "label", "title", "hint"})  #: arguments that people read
#: Words of the desk's own code that are for machines.
_SCRIPT = re.compile(r"""\bsay\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)""")
_TITLE = re.compile(r'^title = "([^"]+)"', re.MULTILINE)  #: of a vehicle model
_WORDS = re.compile(r"[A-Za-z]{2,}[.,;:]? +\S|^[A-Z][a-z]+|^12 V |^A [a-z]{3}")
#: What is code, a header, a path or a format, and no phrase.
_CODE = re.compile(
    r"[=<>]=|m\[|Vehicle\.|charset|filename|no-|noindex|%[YaH]|^[A-Z][a-z]+-[A-Z]|consent_|^\{+\w+\}+$|struct|\n|\{LAMPS"
    r"|^(loc|msg|Value error,|Lax|Loc|Hi|Hf|Ibb|Iff|Hff|If|Gate|Location|Celsius|NaN|api|en|ask_again|Telltale)$"
    r"|^(WhatsApp|SMS|Edg|Edge|Opera|SamsungBrowser|Samsung Internet|Firefox|FxiOS|CriOS|Chrome|Safari|Android)$"
    r"|^(Windows|CrOS|ChromeOS|Mac OS X|Mac|Linux|Brake\.PadWear|Tire\.Pressure|a quick look .*|a detector fits)$"
    r"|^(\{\} characters.*|; \{\} needs.*)$"
)
_ERRORS = frozenset({"BadInput", "Overtaken", "NotAllowed", "DeliveryFailed", "IllegalMove", "Unaware", "Stays"})


def phrases() -> dict[str, tuple[str | None, set[str]]]:
    """(plural or None, files) by phrase."""
    found: dict[str, tuple[str | None, set[str]]] = {}

    def add(message: str, many: str | None, place: str) -> None:
        before = found.get(message, (None, set()))
        found[message] = (before[0] or many, before[1] | {place})

    for path in sorted((DESK / "templates").glob("*.html")):
        for message, many in of_template(path.name).items():
            add(message, many, str(path.relative_to(ROOT)))
    for path in sorted((DESK / "static").glob("*.js")):
        for groups in _SCRIPT.findall(path.read_text()):
            add(next(filter(None, groups)), None, str(path.relative_to(ROOT)))
    for signal in SIGNALS:
        add(signal.title, None, "schemas/signal.py")
    for name, table in vars(formatting).items():
        if isinstance(table, dict) and name.isupper() and name not in formatting.UNSAID:
            for words in table.values():
                for word in (words,) if isinstance(words, str) else words:
                    if "_" not in word:
                        add(word, None, "dealer_api/desk/formatting.py")
            for key in table if name in _TABLES_OF_STATES else ():
                add(formatting.plain(key), None, "dealer_api/desk/formatting.py")
    for scope in SCOPES:
        add(scope.partition(":")[0], None, "schemas/scope.py")
    for path in sorted((ROOT / "schemas" / "profiles").glob("*.toml")):
        add(_TITLE.findall(path.read_text())[0], None, str(path.relative_to(ROOT)).replace(".toml", ".py"))
    for path in _code():
        counted = plurals_of(path) if path.is_relative_to(DESK) else {}
        for message in of_code(path):
            if message not in counted.values():
                add(message, counted.get(message), str(path.relative_to(ROOT)))
    return found


def of_template(name: str) -> dict[str, str | None]:
    """What one template says."""
    speaking = Speaking()
    source, _, _ = speaking.loader.get_source(speaking, name)  # type: ignore[union-attr]
    import jinja2

    tree = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).parse(source)
    return mark(tree, sentences_of(name)).messages


def _code() -> Iterator[Path]:
    for room in ("actions", "dealer_api", "providers", "rules", "schemas", "store", "workers"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if not str(path.relative_to(ROOT)).startswith(_SILENT):
                yield path


def of_code(path: Path) -> Iterator[str]:
    """Sentences of one file: of the desk's own code and of code that reasons all words, of any other the refusals."""
    tree = ast.parse(path.read_text())
    local = str(path.relative_to(ROOT))
    whole = local.startswith(("dealer_api/desk/", *_TALKING))
    seen: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            match node.body:
                case [ast.Expr(value=ast.Constant() as doc), *_]:
                    seen.add(doc)
        if isinstance(node, ast.JoinedStr):
            seen.update(node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "count"):
            yield from (text for one in node.args for text in _texts(one, set(), whole=True))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ERRORS:
            for n, one in enumerate(node.args):
                for text in _texts(one, seen, whole=True):
                    if n == 0 and node.func.id == "BadInput":
                        text = text.replace("_", " ")
                        yield text[:1].upper() + text[1:].lower()
                    else:
                        yield text
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Unsure":
            seen.update(ast.walk(node))  # what a rule is not sure of is shown to nobody
        elif isinstance(node, ast.Call) and local.startswith(("actions/", "workers/")):
            for given in node.keywords:
                if given.arg in _SAID_AS:
                    yield from _texts(given.value, seen, whole=True)
        elif whole and node not in seen:
            yield from _texts(node, seen, whole=False)


def _texts(node: ast.AST, seen: set[ast.AST], *, whole: bool) -> Iterable[str]:
    """The phrases in an expression; not `whole`: of this node only."""
    for one in ast.walk(node) if whole else (node,):
        if isinstance(one, ast.JoinedStr):
            text = _pattern(one)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str) and one not in seen:
            text = one.value
        else:
            continue
        if _CODE.search(text.strip()):
            continue
        if (whole and re.search(r"[A-Za-z]{2}", text)) or _WORDS.search(text):
            yield " ".join(text.split(" ")).strip()


def _pattern(node: ast.JoinedStr) -> str:
    text, names = "", set()
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value).replace("{", "{{").replace("}", "}}")
        elif isinstance(part, ast.FormattedValue):
            name = base = _name(part.value)
            n = 2
            while name in names:
                name, n = f"{base}{n}", n + 1
            names.add(name)
            text += "{" + name + "}"
    return text


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Attribute(attr="lower" | "upper" | "capitalize" | "join", value=value)):
            return _name(value) if not isinstance(value, ast.Constant) else "joined"
        case ast.Call(func=func, args=[first, *_]):
            name = _name(func)
            return name if name not in ("number", "plain", "sentence", "str") else _name(first)
        case ast.Call(func=func):
            return _name(func)
        case ast.Subscript(value=value):
            return _name(value)
        case ast.BinOp(left=left):
            return _name(left)
        case ast.BoolOp(values=[first, *_]):
            return _name(first)
    return "what"


def plurals_of(path: Path) -> dict[str, str]:
    """What one file counts: the plural by the singular."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Name(id="count"), args=[ast.Constant(value=str(one)), ast.Constant(value=str(many)), *_]
            ):
                found[one] = many
    return found


def bring_up_to_date(language: str, known: Mapping[str, str | tuple[str, ...]] | None = None) -> int:
    """Write that language's catalogue anew; how many of its messages have no translation yet. `known`: translations to
    take over.
    """
    path = catalogue.path_of(language)
    old = catalogue.read(language) if path.exists() else Po(locale=language)
    texts = {(one.id[0] if isinstance(one.id, tuple | list) else one.id): one.string for one in old} | dict(known or {})
    new, missing = Po(locale=language, fuzzy=False), 0
    for message, (many, places) in phrases().items():
        found = texts.get(message) or ""
        forms = tuple(found) if isinstance(found, tuple | list) else (found,)
        if many is not None:
            forms = (*forms, *("",) * new.num_plurals)[: new.num_plurals]
        new.add(
            (message, many) if many else message,
            forms if many else forms[0],
            locations=[(place, 0) for place in sorted(places)],
        )
        missing += not all(forms)
    with path.open("wb") as file:
        write_po(file, new, width=118, omit_header=True, include_lineno=False)
    body = path.read_text()
    path.write_text(
        f"# {reader.LANGUAGES[language]} of the desk; kept by `python -m dealer_api.desk.phrases`.\n"
        f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"MIME-Version: 1.0\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {new.plural_forms}\\n"\n\n{body}'
    )
    return missing


if __name__ == "__main__":
    for tag in reader.LANGUAGES:
        if tag != reader.ENGLISH:
            sys.stdout.write(f"{tag}: {bring_up_to_date(tag)} messages without a translation\n")
