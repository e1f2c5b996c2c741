"""The register of this room's doors: method, path, handler and who may knock."""

from __future__ import annotations

from dealer_api.owner import answers, asking, driving, pages, phones, preferences, visits
from dealer_api.route import DRIVING, PUBLIC, Route

#: A token in the path is a signed link; its handler checks it. `/phone` answers on this very machine only.
ROUTES: tuple[Route, ...] = (
    Route("GET", "/o/{token}", visits.show, PUBLIC, "the owner's offer, then the journey"),
    Route("GET", "/o/{token}/live", visits.live, PUBLIC, "says when to look again", streams=True),
    Route("POST", "/o/{token}/accept", visits.accept, PUBLIC, "book a window"),
    Route("POST", "/o/{token}/fresh", visits.fresh, PUBLIC, "two other windows"),
    Route("GET", "/o/{token}/decline", visits.show_decline, PUBLIC, "why not"),
    Route("POST", "/o/{token}/decline", visits.decline, PUBLIC, "no, with a reason"),
    Route("GET", "/o/{token}/cancel", visits.show_cancel, PUBLIC, "asked once more"),
    Route("POST", "/o/{token}/cancel", visits.cancel, PUBLIC, "give the window back"),
    Route("POST", "/o/{token}/extra", visits.answer_extra_work, PUBLIC, "yes or no to extra work"),
    Route("GET", "/o/{token}/ask", asking.show, PUBLIC, "a box to write in"),
    Route("POST", "/o/{token}/ask", asking.ask, PUBLIC, "write to a person"),
    Route("GET", "/o/{token}/preferences", preferences.show, PUBLIC, "how we reach you"),
    Route("POST", "/o/{token}/preferences", preferences.save, PUBLIC, "language, channel, quiet hours"),
    Route("POST", "/o/{token}/stop", preferences.stop, PUBLIC, "no more texts"),
    Route("POST", "/o/{token}/start", preferences.start, PUBLIC, "texts again"),
    Route("GET", "/f/{token}", answers.show, PUBLIC, "one question"),
    Route("POST", "/f/{token}", answers.answer, PUBLIC, "its answer, once"),
    Route("GET", "/d/{token}", driving.show, PUBLIC, "the driver's day by link"),
    Route("GET", "/d/{token}/live", driving.live, PUBLIC, "says when to look again", streams=True),
    Route("POST", "/d/{token}/move", driving.move, PUBLIC, "the next of five steps"),
    Route("GET", "/driver", driving.show, DRIVING, "the signed-in driver's day"),
    Route("GET", "/driver/live", driving.live, DRIVING, "says when to look again", streams=True),
    Route("POST", "/driver/move", driving.move, DRIVING, "the next of five steps"),
    Route("GET", "/phone", phones.show, PUBLIC, "the demo phones"),
    Route("GET", "/phone/texts", phones.texts, PUBLIC, "what arrived on a demo phone"),
    Route("GET", "/pages/{version}/{name}", pages.static_file, PUBLIC, "style and script of these pages"),
)
