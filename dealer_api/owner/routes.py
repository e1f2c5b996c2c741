"""The register of this room's doors: method, path, handler and permission."""

from __future__ import annotations

from dealer_api import permissions as may
from dealer_api.owner import (
    demo_phones,
    driver_handover,
    driver_page,
    feedback,
    moving,
    pages,
    preferences,
    questions,
    visits,
)
from dealer_api.route import Route
from rules.service.photographs import LARGEST

#: A token in the path is a signed link; its handler checks it. `/phone` is there in a demo only.
ROUTES: tuple[Route, ...] = (
    Route("GET", "/o/{token}", visits.show, may.LINK, "the owner's offer, then the journey"),
    Route("GET", "/o/{token}/live", visits.live, may.LINK, "says when to look again", streams=True),
    Route("POST", "/o/{token}/accept", visits.accept, may.LINK, "book a window"),
    Route("POST", "/o/{token}/fresh", visits.fresh, may.LINK, "two other windows"),
    Route("GET", "/o/{token}/decline", visits.show_decline, may.LINK, "why not"),
    Route("POST", "/o/{token}/decline", visits.decline, may.LINK, "no, with a reason"),
    Route("GET", "/o/{token}/cancel", visits.show_cancel, may.LINK, "asked once more"),
    Route("POST", "/o/{token}/cancel", visits.cancel, may.LINK, "give the window back"),
    Route("POST", "/o/{token}/extra", visits.answer_extra_work, may.LINK, "yes or no to extra work"),
    Route("GET", "/o/{token}/photos/{photo}", visits.photo, may.LINK, "a picture of a handover record"),
    Route("GET", "/o/{token}/ask", questions.show, may.LINK, "a box to write in"),
    Route("GET", "/o/{token}/move", moving.show, may.LINK, "free times for a visit that is agreed"),
    Route("POST", "/o/{token}/move", moving.move, may.LINK, "another time"),
    Route("POST", "/o/{token}/ask", questions.ask, may.LINK, "write to a person"),
    Route("GET", "/o/{token}/preferences", preferences.show, may.LINK, "how we reach you"),
    Route("POST", "/o/{token}/preferences", preferences.save, may.LINK, "language, channel, quiet hours"),
    Route("POST", "/o/{token}/stop", preferences.stop, may.LINK, "no more texts"),
    Route("POST", "/o/{token}/start", preferences.start, may.LINK, "texts again"),
    Route("GET", "/f/{token}", feedback.show, may.LINK, "one question"),
    Route("POST", "/f/{token}", feedback.answer, may.LINK, "its answer, once"),
    Route("GET", "/d/{token}", driver_page.show, may.LINK, "the driver's day by link"),
    Route("GET", "/d/{token}/live", driver_page.live, may.LINK, "says when to look again", streams=True),
    Route("GET", "/d/{token}/handover", driver_handover.show, may.LINK, "the record of a car that changes hands"),
    Route("POST", "/d/{token}/handover", driver_handover.write, may.LINK, "write it"),
    Route("POST", "/d/{token}/photo", driver_handover.add_photo, may.LINK, "a photo for it", largest=LARGEST),
    Route("GET", "/d/{token}/app.json", driver_page.app, may.LINK, "the page as an app"),
    Route("POST", "/d/{token}/move", driver_page.move, may.LINK, "the next of five steps"),
    Route("GET", "/driver", driver_page.show, may.READ_LEGS, "the signed-in driver's day"),
    Route("GET", "/driver/live", driver_page.live, may.READ_LEGS, "says when to look again", streams=True),
    Route("GET", "/driver/handover", driver_handover.show, may.READ_LEGS, "the record of a car that changes hands"),
    Route("POST", "/driver/handover", driver_handover.write, may.WRITE_HANDOVERS, "write it"),
    Route("POST", "/driver/photo", driver_handover.add_photo, may.WRITE_HANDOVERS, "a photo for it", largest=LARGEST),
    Route("GET", "/driver/app.json", driver_page.app, may.READ_LEGS, "the page as an app"),
    Route("POST", "/driver/move", driver_page.move, may.MOVE_LEGS, "the next of five steps"),
    Route("GET", "/phone", demo_phones.show, may.DEMO, "the demo phones"),
    Route("GET", "/phone/texts", demo_phones.texts, may.DEMO, "what arrived on a demo phone"),
    Route("GET", "/driver-worker.js", pages.worker, may.PUBLIC, "these pages without a network"),
    Route("GET", "/pages/{version}/{name}", pages.static_file, may.PUBLIC, "style and script of these pages"),
)
