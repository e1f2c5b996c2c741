"""The feedback link: one question, answered once. The first answer stands, whoever presses again."""

from __future__ import annotations

from aiohttp import web

from dealer_api.owner.links import forgiving, form_of, open_link
from dealer_api.owner.pages import draw, see_other
from rules.service.replies import LOW_SCORE
from schemas.errors import BadInput, NotFound
from store import feedback, jobs

_LONGEST = 600


@forgiving
async def show(request: web.Request) -> web.StreamResponse:
    """The question, or thanks for the answer that stands."""
    link = await open_link(request, "feedback")
    if link.visit.feedback is None:
        raise NotFound("question")
    return draw("feedback.html", link.speech, **link.shown, feedback=link.visit.feedback)


@forgiving
async def answer(request: web.Request) -> web.StreamResponse:
    """One to five, and words if there are any."""
    link, form = await open_link(request, "feedback"), await form_of(request)
    score = str(form.get("score", ""))
    if score not in ("1", "2", "3", "4", "5"):
        raise BadInput("score", "is 1, 2, 3, 4 or 5")
    words = " ".join(str(form.get("words", "")).split())[:_LONGEST] or None
    if link.visit.feedback is None:
        raise NotFound("question")
    async with link.house.at(link.secret.dealer_id) as connection:
        answered = await feedback.answer(
            connection,
            link.secret.dealer_id,
            link.visit.case.id,
            link.visit.owner.id,
            score=int(score),
            words=words,
            now=link.speech.now,
        )
        if answered and (int(score) <= LOW_SCORE or words):  # somebody should know, not only the statistics
            await jobs.put(connection, link.secret.dealer_id, "scored", link.visit.case.id, due_at=link.speech.now)
    return see_other(link.here)
