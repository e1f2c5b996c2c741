"""Each run of words of a template becomes a message when the template is compiled, so that none can be forgotten.

A message is what stands between two tags, or in an attribute that people read, with the values in it as named places:
`{{ n }} {{ "drive" if n == 1 else "drives" }} done` is one message with a plural, and any other choice between words is
one message for each choice. Templates stay as they are; the English desk is compiled without any of this.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from jinja2 import nodes

from dealer_api.desk.languages.reading import (
    BRAND,
    CODE,
    KEY,
    LETTERS,
    NOT_SAID,
    NUMBER,
    TOKENS,
    Part,
    Place,
    counted_by,
    dotted,
    flattened,
    in_tag,
    is_picture,
    lexed,
    name_of,
    spoken_by,
    table_of,
    worded,
    wordy,
)

_MOST_CHOICES = 3


@dataclass
class Marked:
    """What a template says: its messages, in order, each with its plural or none."""

    messages: dict[str, str | None] = field(default_factory=dict)


def mark(template: nodes.Template, said: frozenset[str]) -> Marked:
    """Change the tree in place. `said`: expressions, as dotted words, whose value is a sentence of ours."""
    walk = _Walk(said)
    walk.body(template.body, Place())
    return walk.marked


class _Walk:
    def __init__(self, said: frozenset[str]) -> None:
        self.said, self.marked = said, Marked()

    def body(self, body: list[nodes.Node], place: Place) -> None:
        for node in body:
            self.node(node, place)

    def node(self, node: nodes.Node, place: Place) -> None:
        match node:
            case nodes.Output():
                node.nodes = self.output(node.nodes, place)
            case nodes.If():
                before = copy.copy(place)
                self.body(node.body, place)
                for other in node.elif_:
                    self.body(other.body, copy.copy(before))
                self.body(node.else_, copy.copy(before))
            case nodes.For():
                node.iter = self.value(node.iter)  # type: ignore[arg-type]
                self.body(node.body, place)
                self.body(node.else_, copy.copy(place))
            case nodes.Macro():
                self.body(node.body, Place(where="tag" if in_tag(node.body) else "text"))
            case nodes.CallBlock():
                node.call = self.value(node.call)  # type: ignore[assignment]
                self.body(node.body, Place())
            case nodes.Block():
                self.body(node.body, Place(element="title" if node.name == "title" else ""))
            case nodes.Assign():
                if not (isinstance(node.target, nodes.Name) and node.target.name in NOT_SAID):
                    node.node = self.value(node.node)  # type: ignore[arg-type]
            case nodes.AssignBlock():
                self.body(node.body, Place(where="tag" if in_tag(node.body) else "text"))
            case nodes.With() | nodes.Scope() | nodes.FilterBlock():
                self.body(node.body, place)
            case _:
                pass

    def output(self, items: Sequence[nodes.Expr], place: Place) -> list[nodes.Expr]:
        made: list[nodes.Expr] = []
        run: list[Part] = []

        def flush() -> None:
            made.extend(self.run(run, place))
            run.clear()

        for item in items:
            if not isinstance(item, nodes.TemplateData):
                if (place.where == "text" and place.element not in CODE) or place.where == "attribute":
                    run.append(item)
                else:
                    made.append(item)
                continue
            for kind, text in lexed(item.data, place):
                if kind == "words":
                    run.append(text)
                else:
                    if kind == "edge":
                        flush()
                    made.append(nodes.TemplateData(text))
        flush()
        return made

    def run(self, run: Sequence[Part], place: Place) -> Iterator[nodes.Expr]:
        """A run of words and values, as nodes to put out."""
        parts = list(run)
        if not parts:
            return
        html = place.html
        before = after = ""
        if isinstance(parts[0], str):
            kept = parts[0].lstrip()
            before, parts[0] = parts[0][: len(parts[0]) - len(kept)], kept
        if isinstance(parts[-1], str):
            if parts[-1].endswith(BRAND):
                parts[-1], after = parts[-1].removesuffix(BRAND), BRAND
            kept = parts[-1].rstrip()
            parts[-1], after = kept, parts[-1][len(kept) :] + after
        if before:
            yield nodes.TemplateData(before)
        parts = [part for part in parts if part != ""]
        if self.says(parts):
            first, last = (is_picture(parts[0]), len(parts) > 1 and is_picture(parts[-1]))
            middle = parts[first : len(parts) - last]
            if first and isinstance(middle[0], str):
                kept = middle[0].lstrip()
                yield parts[0]  # type: ignore[misc]
                yield nodes.TemplateData(middle[0][: len(middle[0]) - len(kept)])
                middle[0] = kept
            elif first:
                yield parts[0]  # type: ignore[misc]
            if last and isinstance(middle[-1], str):
                kept = middle[-1].rstrip()
                after = middle[-1][len(kept) :] + after
                middle[-1] = kept
            yield self.message([part for part in middle if part != ""], html)
            if last:
                yield from (nodes.TemplateData(after), parts[-1])  # type: ignore[misc]
                after = ""
        else:
            for part in parts:
                if isinstance(part, str):
                    yield nodes.TemplateData(part)
                else:
                    made = self.value(part, alone=True)
                    plain = place.element == "textarea" and place.where == "text"
                    yield made if plain else spoken_by("value" if html else "bare_value", made)
        if after:
            yield nodes.TemplateData(after)

    def says(self, parts: Sequence[Part]) -> bool:
        """Whether there are words in it, outside of the values."""
        return any(
            LETTERS.search(part.replace("&nbsp;", "").replace("&amp;", ""))
            if isinstance(part, str)
            else (
                isinstance(part, nodes.Concat)
                and self.says([one.value for one in part.nodes if isinstance(one, nodes.Const)])
            )
            or (
                isinstance(part, nodes.CondExpr)
                and any(worded(one) for one in (part.expr1, part.expr2))
                and len(parts) > 1
            )
            for part in parts
        )

    def message(self, parts: Sequence[Part], html: bool, choices: int = 0) -> nodes.Expr:
        """One message, or a choice between messages where the words differ."""
        parts = [one for part in parts for one in flattened(part)]
        for place, part in enumerate(parts):
            if isinstance(part, nodes.CondExpr) and any(worded(one) for one in (part.expr1, part.expr2)):
                if choices >= _MOST_CHOICES:
                    break
                one, other = part.expr1, part.expr2 or nodes.Const("")
                many = counted_by(part.test)
                ways = [[*parts[:place], way, *parts[place + 1 :]] for way in (one, other)]
                if many is not None and not any(
                    isinstance(rest, nodes.CondExpr) and any(worded(way) for way in (rest.expr1, rest.expr2))
                    for rest in parts[place + 1 :]
                ):
                    return self.plural(ways[0], ways[1], html=html, many=many)
                return nodes.CondExpr(
                    part.test, self.message(ways[0], html, choices + 1), self.message(ways[1], html, choices + 1)
                )
        text, values = self.named(parts)
        if not values and not LETTERS.search(text):
            return nodes.TemplateData(text) if html else nodes.Const(text)
        self.marked.messages.setdefault(text, None)
        return spoken_by("say" if html else "bare_say", nodes.Const(text), table_of(values))

    def plural(self, one: Sequence[Part], other: Sequence[Part], html: bool, many: nodes.Expr) -> nodes.Expr:
        single, values = self.named([part for part in one for part in flattened(part)])
        several, more = self.named([part for part in other for part in flattened(part)])
        self.marked.messages[single] = several
        return spoken_by(
            "count" if html else "bare_count",
            nodes.Const(single),
            nodes.Const(several),
            many,
            table_of({**values, **more}),
        )

    def named(self, parts: Sequence[Part]) -> tuple[str, dict[str, nodes.Expr]]:
        """The message with its places, and what comes into each."""
        text, values = "", {}
        for part in parts:
            if isinstance(part, str):
                text += part.replace("{", "{{").replace("}", "}}")
                continue
            name = base = name_of(part)
            n = 2
            while name in values:
                name, n = f"{base}{n}", n + 1
            values[name] = self.value(part, alone=True)
            text += "{" + name + "}"
        return re.sub(r"\s+", " ", text), values

    def value(self, node: nodes.Expr, *, alone: bool = False) -> nodes.Expr:
        """An expression whose words are ours: each is looked up where it stands. `alone`: a lower-case word too."""
        match node:
            case nodes.Const(value=str(text)) if wordy(text, alone):
                self.marked.messages.setdefault(text, None)
                return spoken_by("word", node)
            case nodes.CondExpr():
                node.expr1 = self.value(node.expr1, alone=alone)
                if node.expr2 is not None:
                    node.expr2 = self.value(node.expr2, alone=alone)
                return node
            case nodes.Or():
                node.left, node.right = self.value(node.left), self.value(node.right, alone=alone)
                return node
            case nodes.And():
                node.right = self.value(node.right, alone=alone)
                return node
            case nodes.Concat():
                parts: list[Part] = [part for one in node.nodes for part in flattened(one)]
                if self.says(parts) and not any(isinstance(p, str) and KEY.match(p) for p in parts):
                    return self.spaced(parts)
                return node
            case nodes.Filter():
                if node.node is not None and node.name not in ("urlencode", "tojson", "map", "select", "length"):
                    node.node = self.value(node.node, alone=alone and node.name == "format")
                elif node.node is not None and node.name == "select":
                    node.node = self.value(node.node)
                return node
            case nodes.Call(node=nodes.Getattr(node=nodes.Const(value=str(pattern)), attr="format")) if (
                pattern == NUMBER
            ):
                return spoken_by("number", node.args[0])
            case nodes.Call(node=nodes.Getattr(attr="get")) if dotted(node) in self.said:
                return spoken_by("sentence", node)
            case nodes.Call():
                node.args = [self.value(one) for one in node.args]
                for pair in node.kwargs:
                    if pair.key not in TOKENS:
                        pair.value = self.value(pair.value)
                return node
            case nodes.Getitem(node=nodes.Dict() as table):
                for item in table.items:
                    item.value = self.value(item.value)
                return node
            case nodes.List() | nodes.Tuple():
                node.items = [self.value(one) for one in node.items]
                return node
            case nodes.Name() | nodes.Getattr() | nodes.Getitem() if dotted(node) in self.said:
                return spoken_by("sentence", node)
            case _:
                return node

    def spaced(self, parts: list[Part]) -> nodes.Expr:
        """A message out of words that were joined by ~, with the space around it kept."""
        before = after = ""
        if isinstance(parts[0], str):
            kept = parts[0].lstrip(" ,·:")
            before, parts[0] = parts[0][: len(parts[0]) - len(kept)], kept
        if isinstance(parts[-1], str):
            kept = parts[-1].rstrip()
            after, parts[-1] = parts[-1][len(kept) :], kept
        made = self.message([part for part in parts if part != ""], html=False)
        return nodes.Concat(
            [*([nodes.Const(before)] if before else []), made, *([nodes.Const(after)] if after else [])]
        )
