"""The words of whoever wrote a mail: without what they quote, and without what stands beneath their name.

People answer above, below or between what they quote, and the quotation is our own text, with its digits and its STOP.
What looks like the beginning of a quotation in one of the ways of the usual mail programs, in the languages of our
owners, is one; where a program quotes without a mark, all that follows is. Pure.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_QUOTES = re.compile(r"^\s*[>|\u203a]")
_WROTE = re.compile(
    r"^\s*(on|am|el|le|em|il|op|den|بتاريخ|في|ב-?)\b.{0,300}?"
    r"(wrote|writes|schrieb\w*|escribi[oó]|a écrit|escreveu|ha scritto|schreef|كتب\w*|כתב/?\w*)\b.{0,120}:\s*$",
    re.IGNORECASE | re.DOTALL,
)
_RULE = re.compile(
    r"^\s*(-{2,}\s*(original message|original appointment|forwarded message|ursprüngliche nachricht|"
    r"originalnachricht|weitergeleitete nachricht|mensaje original|mensaje reenviado|message d.origine|"
    r"الرسالة الأصلية|הודעה מקורית)\s*-{2,}|_{10,})\s*$",
    re.IGNORECASE,
)
_HEAD = re.compile(
    r"^\s*\*?(from|sent|to|date|subject|cc|von|gesendet|an|datum|betreff|de|enviado( el)?|para|fecha|asunto|"
    r"من|إلى|تاريخ|الموضوع|מאת|נשלח|אל|נושא)\s*:\*?\s",
    re.IGNORECASE,
)
_FROM_HEAD = re.compile(r"^\s*\*?(from|von|de|من|מאת)\s*:", re.IGNORECASE)
_SIGNED = re.compile(
    r"^\s*(-- ?|(sent|get|von|gesendet|enviado|envoyé) (from|outlook for|mit|meinem|von|desde|de) ?.{0,60}"
    r"(iphone|ipad|android|handy|smartphone|samsung|galaxy|outlook|mobile|phone|ios|mail|gesendet|móvil).{0,40})\s*$",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """The words of whoever wrote it: without what they quote, and without what stands beneath their name."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if _RULE.match(line) or _is_head(lines, at):
            break
        if (wrote := _attribution(lines, at)) is not None:
            if not any(_QUOTES.match(one) for one in lines[wrote:]):  # what follows is quoted without a mark
                break
            at = wrote
        elif _QUOTES.match(line):
            at += 1
        elif _SIGNED.match(line):  # beneath it there may be a quotation, but no word of theirs that answers
            at = next(
                (n for n in range(at, len(lines)) if _QUOTES.match(lines[n]) or _attribution(lines, n)), len(lines)
            )
        else:
            kept.append(line.rstrip())
            at += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _attribution(lines: list[str], at: int) -> int | None:
    """The line after "On … wrote:", which may be folded over three; None where it is none."""
    for length in (1, 2, 3):
        said = lines[at : at + length]
        if len(said) == length and all(line.strip() for line in said) and _WROTE.match("\n".join(said)):
            return at + length
    return None


def _is_head(lines: list[str], at: int) -> bool:
    """The head of a quoted mail: From, and two more of its lines close below."""
    return bool(_FROM_HEAD.match(lines[at])) and sum(bool(_HEAD.match(one)) for one in lines[at + 1 : at + 6]) >= 2


class Plain(HTMLParser):
    """The text of a mail that has no other, without what it quotes."""

    _QUOTING = ("gmail_quote", "divrplyfwdmsg", "yahoo_quoted", "moz-cite-prefix", "appendonsend", "x_gmail_quote")
    _BREAKS = ("br", "p", "div", "tr", "li", "h1", "h2", "h3", "hr")
    _SILENT = ("script", "style", "head", "title", "blockquote")
    _EMPTY = ("br", "hr", "img", "meta", "link", "input", "col", "area", "base", "wbr")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []  #: tag, and whether what it holds is silent
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = " ".join(value or "" for name, value in attrs if name in ("class", "id")).lower()
        if tag in self._BREAKS:
            self.found.append("\n")
        if "divrplyfwdmsg" in names or "appendonsend" in names:
            self._over = True  # all that follows is the mail that they answer
        if tag not in self._EMPTY:
            quoting = tag in self._SILENT or any(one in names for one in self._QUOTING)
            self._open.append((tag, quoting))

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self._open):
            while self._open and self._open.pop()[0] != tag:
                pass
        if tag in self._BREAKS:
            self.found.append("\n")

    @property
    def text(self) -> str:
        """What was heard, line by line."""
        return "\n".join(line.strip() for line in "".join(self.found).split("\n"))

    def handle_data(self, data: str) -> None:
        if not self._over and not any(silent for _, silent in self._open):
            self.found.append(re.sub(r"\s+", " ", data))
