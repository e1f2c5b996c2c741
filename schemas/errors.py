"""Errors by whose fault they are; the docstring is the message, the facts are attributes."""

from __future__ import annotations


class TelltaleError(Exception):
    """Something went wrong."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.describe())

    def describe(self) -> str:
        """The docstring with the facts filled in; a fact the sentence lacks is appended."""
        sentence = " ".join((self.__doc__ or "").split())
        unsaid = {k: v for k, v in self.facts.items() if "{" + k + "}" not in sentence}
        sentence_filled = sentence.format_map({k: str(v) for k, v in self.facts.items()})
        return sentence_filled + ("" if not unsaid else f" ({', '.join(f'{k}: {v}' for k, v in unsaid.items())})")


class BadInput(TelltaleError):
    """{field}: {reason}"""

    def __init__(self, field: str, reason: str, *, windows: tuple[str, ...] = (), **facts: object) -> None:
        self.field, self.reason = field, reason
        self.windows = windows  # of a time that cannot be: what is free instead, as in Overtaken
        super().__init__(field=field, reason=reason, **facts)


class NotAllowed(TelltaleError):
    """You may not do this: {reason}"""

    def __init__(self, reason: str, *, signed_in: bool = True) -> None:
        self.reason, self.signed_in = reason, signed_in
        super().__init__(reason=reason)


class TooOften(TelltaleError):
    """Too many attempts. Try again in {minutes} minutes."""

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        super().__init__(minutes=minutes)


class TooMany(TelltaleError):
    """This key may make {a_minute} calls a minute. Try again in {seconds} s."""

    def __init__(self, a_minute: int, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(a_minute=a_minute, seconds=seconds)


class TooSlow(TelltaleError):
    """What you sent did not come in time. Please send it again."""


class WrongHost(TelltaleError):
    """This desk does not answer as {name}. If that is a name of its own, add it to TELLTALE_HOSTS."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name=name)


class NotFound(TelltaleError):
    """There is no such {noun}."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        super().__init__(noun=noun)


class IllegalMove(TelltaleError):
    """A {noun} that is {state} cannot be moved by {event}."""

    def __init__(self, noun: str, state: str, event: str, allowed: tuple[str, ...]) -> None:
        self.noun, self.state, self.event, self.allowed = noun, state, event, allowed
        super().__init__(noun=noun, state=state, event=event, allowed=", ".join(allowed) or "none")


class Overtaken(TelltaleError):
    """Somebody was quicker: this {noun} has changed meanwhile."""

    def __init__(self, noun: str, reason: str = "", windows: tuple[str, ...] = ()) -> None:
        self.noun, self.reason = noun, reason
        self.windows = windows  # what is free instead: "2026-11-23T10:00:00+00:00/2026-11-23T11:00:00+00:00"
        super().__init__(noun=noun, **({"reason": reason} if reason else {}))


class Unavailable(TelltaleError):
    """{part} is not available right now."""

    def __init__(self, part: str, reason: str = "", retry_after_s: float = 2.0) -> None:
        self.part, self.retry_after_s = part, retry_after_s
        super().__init__(part=part, **({"reason": reason} if reason else {}))


class DeliveryFailed(TelltaleError):
    """The message could not be delivered: {reason}"""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        self.reason, self.permanent = reason, permanent
        super().__init__(reason=reason)


class Misconfigured(TelltaleError):
    """{setting}: {reason}"""

    def __init__(self, setting: str, reason: str) -> None:
        self.setting, self.reason = setting, reason
        super().__init__(setting=setting, reason=reason)
