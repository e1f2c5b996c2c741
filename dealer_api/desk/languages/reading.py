"""Reading a template: where its text stands in the page, what of it is words, and what a value is called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import nodes

#: Attributes that people read or hear.
READ = frozenset(
    {
        "aria-label",
        "aria-roledescription",
        "title",
        "placeholder",
        "alt",
        "data-label",
        "data-say",
        "data-unable",
        "label",
    }
)
#: Elements whose text is no language.
CODE = frozenset({"script", "style", "code", "kbd", "pre"})
#: Elements that hold no other element.
BARE = frozenset({"option", "title", "textarea"})
#: Set for machines, not for people.
NOT_SAID = frozenset({"live", "here", "days"})
BRAND = " – Telltale"
TOKENS = frozenset({"post", "href", "mark", "look", "key", "csrf"})
LETTERS = re.compile(r"[A-Za-z]{2}")
TAG_PIECE = re.compile(r"\s*[\w-]+=\"")
NUMBER = "{:,}"
KEY = re.compile(r"\s*[/&?]|[a-z]+-|-[a-z]+")  #: the beginning of an address, or of a name for a script


Part = str | nodes.Expr


@dataclass
class Place:
    """Where in the page the walk stands: in text, in a tag, in an attribute."""

    where: str = "text"
    attribute: str = ""
    element: str = ""

    @property
    def html(self) -> bool:
        """Whether elements may stand here."""
        return self.where == "text" and self.element not in BARE


def lexed(text: str, place: Place) -> Iterator[tuple[str, str]]:
    """The text in pieces: `words` people read, `edge` where a run of them ends, `tag` inside of a tag."""
    start = at = 0
    while at < len(text):
        if place.where == "text":
            at = text.find("<", at)
            if at < 0:
                if start < len(text):
                    yield ("tag" if place.element in CODE else "words", text[start:])
                return
            if at > start:
                yield ("tag" if place.element in CODE else "words", text[start:at])
            found = re.compile(r"<(/?)([a-zA-Z][\w-]*)").match(text, at)
            name, closing = (found[2].lower(), bool(found[1])) if found else ("", False)
            if place.element not in CODE or (closing and name == place.element):
                yield "edge", ""
                place.where = "tag"
                if name in CODE | BARE:
                    place.element = "" if closing else name
            yield "tag", "<"
            start = at = at + 1
        elif place.where == "tag":
            found = re.compile(r'>|([\w:-]+)="').search(text, at)
            if found is None:
                yield "tag", text[start:]
                return
            at = found.end()
            if found[1] is None:
                yield "tag", text[start:at]
                place.where, start = "text", at
            elif found[1] in READ:
                yield "tag", text[start:at]
                place.where, place.attribute, start = "attribute", found[1], at
            else:
                yield "tag", text[start:at]
                place.where, start = "unread", at
        else:
            at = text.find('"', at)
            if at < 0:
                if start < len(text):
                    yield ("words" if place.where == "attribute" else "tag", text[start:])
                return
            if at > start:
                yield ("words" if place.where == "attribute" else "tag", text[start:at])
            yield "edge", ""
            place.where, start, at = "tag", at, at + 1
    if start < len(text):
        yield "tag", text[start:]


def is_picture(part: Part) -> bool:
    """Whether it draws something without words."""
    return isinstance(part, nodes.Call) and dotted(part.node).rpartition(".")[2] in ("icon", "lamp")


def in_tag(body: Sequence[nodes.Node]) -> bool:
    """Whether a macro's first words are attributes."""
    for node in body:
        match node:
            case nodes.Output(nodes=[nodes.TemplateData(data=text), *_]):
                return TAG_PIECE.match(text) is not None
            case nodes.If():
                return in_tag(node.body)
    return False


def flattened(part: Part) -> Iterator[Part]:
    """Words that were joined by ~ are words like all others."""
    match part:
        case nodes.Concat():
            for one in part.nodes:
                yield from flattened(one)
        case nodes.Const(value=str(text)):
            yield text
        case nodes.Call(node=nodes.Getattr(node=nodes.Const(value=str(pattern)), attr="format")) if "{:,}" in pattern:
            before, after = pattern.split(NUMBER, 1)
            yield from (before, spoken_by("number", part.args[0]), after)
        case _:
            yield part


def worded(node: nodes.Expr | None) -> bool:
    match node:
        case nodes.Const(value=str(text)):
            return LETTERS.search(text) is not None
        case nodes.Concat():
            return any(worded(one) for one in node.nodes)
        case nodes.CondExpr():
            return worded(node.expr1) or worded(node.expr2)
    return False


def wordy(text: str, alone: bool) -> bool:
    """Whether a constant is for people: it begins with a capital or has words beside each other."""
    if not LETTERS.search(text) or text.startswith(("/", "#", "?", "&")) or "=" in text:
        return False
    if re.search(r"%[aAbBdHMSYy]", text):
        return False
    if re.fullmatch(r"[a-z_]+(-[a-z_]+)*", text):
        return alone
    return True


def counted_by(test: nodes.Expr) -> nodes.Expr | None:
    """What is counted, when a choice is made by whether it is one."""
    match test:
        case nodes.Compare(expr=what, ops=[nodes.Operand(op="eq", expr=nodes.Const(value=1))]):
            return what
    return None


def dotted(node: nodes.Node) -> str:
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{dotted(node.node)}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const(value=key)):
            return f"{dotted(node.node)}[{key}]"
        case nodes.Getitem():
            return f"{dotted(node.node)}[]"
        case nodes.Call(node=nodes.Getattr(node=what, attr="get")):
            return f"{dotted(what)}.get()"
    return "?"


def name_of(node: nodes.Expr) -> str:
    """What a place is called for whoever translates it."""
    match node:
        case nodes.Name():
            found = node.name
        case nodes.Getattr():
            found = node.attr
        case nodes.Getitem(arg=nodes.Const(value=key)) if isinstance(key, str):
            found = key
        case nodes.Getitem():
            found = name_of(node.node)
        case nodes.Call(node=nodes.Getattr(attr="format"), args=[one, *_]):
            found = name_of(one)
        case nodes.Call(node=nodes.EnvironmentAttribute(), args=[one, *_]):
            found = name_of(one)
        case nodes.Call():
            found = name_of(node.node)
        case nodes.Filter() if node.node is not None:
            found = name_of(node.node)
        case nodes.Or() | nodes.And():
            found = name_of(node.left)
        case nodes.CondExpr():
            found = name_of(node.expr1)
        case nodes.Sub() | nodes.Add() | nodes.Mul() | nodes.Div():
            found = name_of(node.left)
        case _:
            found = "what"
    return found.strip("_").lower() if found.isidentifier() else "what"


def table_of(values: dict[str, nodes.Expr]) -> nodes.Expr:
    return nodes.Dict([nodes.Pair(nodes.Const(name), value) for name, value in values.items()])


def spoken_by(name: str, *args: nodes.Expr) -> nodes.Expr:
    return nodes.Call(nodes.EnvironmentAttribute(f"speak_{name}"), list(args), [], None, None)
