"""docs/reference/feeds.md, made from the register: `python -m telltale.feeds_page` writes it."""

from __future__ import annotations

from pathlib import Path

from gateway.feeds import jsonl
from gateway.feeds.door import MOST_BYTES, MOST_WAITING, OF_FEED
from gateway.feeds.feed import Feed, Field
from gateway.feeds.reading import NULLS
from gateway.feeds.register import FEEDS
from gateway.feeds.settling import KEPT_OF_CAR, OF_CAR
from schemas.signal import BY_PATH

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "feeds.md"
_HEAD = """# Feeds: cars that speak in words that are not ours

Each is a translation into [our contract](mqtt.md); behind it lies the same intake as for every car. How to connect one:
[Connect a feed](../howto/connect_a_feed.md); why it is built so: [feeds](../why/feeds.md). This page is made by
`python -m telltale.feeds_page`.

| feed | listens to | when it speaks | what it calls a car | time of a value |
|---|---|---|---|---|"""


def page() -> str:
    """The whole page."""
    lines = [_HEAD, *(_line(feed) for feed in FEEDS.values()), "", *_common()]
    for feed in FEEDS.values():
        lines += [f"## {feed.title} (`{feed.name}`)", "", feed.says, "", *_fields(feed), ""]
    return "\n".join(lines).rstrip() + "\n"


def _line(feed: Feed) -> str:
    where = ", ".join(f"`{feed.root}/{one}`" for one in feed.filters) or "`POST /feeds/NUMBER`, " + (
        "signed" if feed.doubt else "with a key"
    )
    time = "its own" if feed.timed else "when it came; of what had waited at the broker unknown, so that is not read"
    return f"| [{feed.title}](#{_anchor(feed)}) | {where} | {feed.cadence} | {feed.identity} | {time} |"


def _anchor(feed: Feed) -> str:
    title = f"{feed.title} ({feed.name})".lower()
    return "".join(one if one.isalnum() or one in "-_" else "-" if one == " " else "" for one in title)


def _common() -> list[str]:
    words = ", ".join(f"`{word}`" for word in sorted(NULLS) if word)
    return [
        "**No reading**: an empty text, and the words " + words + ", in whatever case.",
        "",
        "**Units** are those of the tables below unless one stands beside the number, or the car was mapped with",
        "others (`telltale feed map … --unit pressure=psi`). What no such sensor can give is refused as of any car.",
        "",
        "**Only what came at one time stands in one sample.** Nothing is carried on from an earlier value.",
        "",
        "| what | becomes |",
        "|---|---|",
        "| a car that nobody has mapped | refused as `unmapped` in its dealer's quarantine, with the name to map; once "
        "it is mapped it is read from there |",
        "| a VIN that the feed says itself | by HTTPS its dealer's car is mapped by it; over MQTT it is shown |",
        "| what the broker had kept, of a feed without times | counted (`feed_old`); the next change is read |",
        "| a name that is no signal of ours | counted (`feed_untaken`) |",
        "| a topic below its root that it does not take | counted (`foreign_topic`) |",
        "| a value that cannot be read | refused with its reason and its name, the others of the message are kept |",
        f"| more than {OF_CAR[0]} messages of a car at once, and then one each {OF_CAR[1] * 1000:.0f} ms | counted "
        "(`flood`) |",
        f"| more than {OF_FEED[0]} requests of a feed at once, and then one each {OF_FEED[1] * 1000:.0f} ms | 429 |",
        f"| more than {MOST_WAITING:,} messages of a feed that wait to be judged | 429 |",
        f"| a request of more than {MOST_BYTES >> 20} MiB | 413 |",
        f"| more than {jsonl.MOST:,} JSON lines in one request | those beyond are refused |",
        "| a wrong key, a wrong signature, one of more than five minutes ago | 401, counted (`feed_forged`) |",
        f"| more than {KEPT_OF_CAR[0]} refused ones of a car and kind, and then one each {KEPT_OF_CAR[1]:.0f} s | "
        "counted |",
        "",
    ]


def _fields(feed: Feed) -> list[str]:
    if all(name == field.path for name, field in feed.fields.items()):
        return ["Every signal of [the contract](mqtt.md#signals) by its path, and the older names that are read there."]
    lines = ["| name | unit | signal |", "|---|---|---|"]
    return lines + [
        f"| `{name}` | {_unit(field)} | `{field.path}` ({BY_PATH[field.path].unit}) |"
        for name, field in feed.fields.items()
    ]


def _unit(field: Field) -> str:
    if field.scale != 1.0:
        return f"{field.scale:g} {field.unit}"
    if field.words:
        return ", ".join(f"`{word}` is {number:g}" for word, number in field.words.items())
    return "yes, no" if field.unit == "bool" else field.unit


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
