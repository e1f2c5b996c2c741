"""The register of this room's doors: method, path, handler and permission."""

from __future__ import annotations

from dealer_api import permissions as may
from dealer_api.owner import (
    demo_phones,
    driver_handover,
    driver_page,
    ending,
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
    Route("GET", "/o/{token}", handler=visits.show, permission=may.LINK, summary="the owner's offer, then the journey"),
    Route(
        "GET",
        "/o/{token}/live",
        handler=visits.live,
        permission=may.LINK,
        summary="says when to look again",
        streams=True,
    ),
    Route("POST", "/o/{token}/accept", handler=visits.accept, permission=may.LINK, summary="book a window"),
    Route("POST", "/o/{token}/fresh", handler=visits.fresh, permission=may.LINK, summary="two other windows"),
    Route("GET", "/o/{token}/decline", handler=visits.show_decline, permission=may.LINK, summary="why not"),
    Route("POST", "/o/{token}/decline", handler=visits.decline, permission=may.LINK, summary="no, with a reason"),
    Route("GET", "/o/{token}/cancel", handler=visits.show_cancel, permission=may.LINK, summary="asked once more"),
    Route("POST", "/o/{token}/cancel", handler=visits.cancel, permission=may.LINK, summary="give the window back"),
    Route(
        "POST",
        "/o/{token}/extra",
        handler=visits.answer_extra_work,
        permission=may.LINK,
        summary="yes or no to extra work",
    ),
    Route(
        "POST",
        "/o/{token}/extra/ring",
        handler=visits.ring_about_extra_work,
        permission=may.LINK,
        summary="ring me about extra work",
    ),
    Route(
        "GET",
        "/o/{token}/photos/{photo}",
        handler=visits.photo,
        permission=may.LINK,
        summary="a picture of a handover record",
    ),
    Route("GET", "/o/{token}/ask", handler=questions.show, permission=may.LINK, summary="a box to write in"),
    Route(
        "GET",
        "/o/{token}/move",
        handler=moving.show,
        permission=may.LINK,
        summary="free times for a visit that is agreed",
    ),
    Route("POST", "/o/{token}/move", handler=moving.move, permission=may.LINK, summary="another time"),
    Route("POST", "/o/{token}/ask", handler=questions.ask, permission=may.LINK, summary="write to a person"),
    Route("GET", "/o/{token}/preferences", handler=preferences.show, permission=may.LINK, summary="how we reach you"),
    Route(
        "POST",
        "/o/{token}/preferences",
        handler=preferences.save,
        permission=may.LINK,
        summary="language, channel, quiet hours",
    ),
    Route("POST", "/o/{token}/stop", handler=preferences.stop, permission=may.LINK, summary="no more texts"),
    Route("POST", "/o/{token}/start", handler=preferences.start, permission=may.LINK, summary="texts again"),
    Route("GET", "/f/{token}", handler=feedback.show, permission=may.LINK, summary="one question"),
    Route("POST", "/f/{token}", handler=feedback.answer, permission=may.LINK, summary="its answer, once"),
    Route(
        "GET", "/u/{token}", handler=ending.show, permission=may.LINK, summary="the end of all mails, asked once more"
    ),
    Route(
        "POST", "/u/{token}", handler=ending.end, permission=may.LINK, summary="no more mails, in one press (RFC 8058)"
    ),
    Route("POST", "/u/{token}/start", handler=ending.begin, permission=may.LINK, summary="mails again"),
    Route("GET", "/d/{token}", handler=driver_page.show, permission=may.LINK, summary="the driver's day by link"),
    Route(
        "GET",
        "/d/{token}/live",
        handler=driver_page.live,
        permission=may.LINK,
        summary="says when to look again",
        streams=True,
    ),
    Route(
        "GET",
        "/d/{token}/handover",
        handler=driver_handover.show,
        permission=may.LINK,
        summary="the record of a car that changes hands",
    ),
    Route("POST", "/d/{token}/handover", handler=driver_handover.write, permission=may.LINK, summary="write it"),
    Route(
        "POST",
        "/d/{token}/photo",
        handler=driver_handover.add_photo,
        permission=may.LINK,
        summary="a photo for it",
        largest=LARGEST,
    ),
    Route("GET", "/d/{token}/app.json", handler=driver_page.app, permission=may.LINK, summary="the page as an app"),
    Route("POST", "/d/{token}/move", handler=driver_page.move, permission=may.LINK, summary="the next of five steps"),
    Route(
        "POST",
        "/d/{token}/position",
        handler=driver_page.position,
        permission=may.LINK,
        summary="where the driver is, for the customer who waits",
    ),
    Route("GET", "/driver", handler=driver_page.show, permission=may.READ_LEGS, summary="the signed-in driver's day"),
    Route(
        "GET",
        "/driver/live",
        handler=driver_page.live,
        permission=may.READ_LEGS,
        summary="says when to look again",
        streams=True,
    ),
    Route(
        "GET",
        "/driver/handover",
        handler=driver_handover.show,
        permission=may.READ_LEGS,
        summary="the record of a car that changes hands",
    ),
    Route(
        "POST", "/driver/handover", handler=driver_handover.write, permission=may.WRITE_HANDOVERS, summary="write it"
    ),
    Route(
        "POST",
        "/driver/photo",
        handler=driver_handover.add_photo,
        permission=may.WRITE_HANDOVERS,
        summary="a photo for it",
        largest=LARGEST,
    ),
    Route("GET", "/driver/app.json", handler=driver_page.app, permission=may.READ_LEGS, summary="the page as an app"),
    Route(
        "POST",
        "/driver/position",
        handler=driver_page.position,
        permission=may.MOVE_LEGS,
        summary="where the driver is, for the customer who waits",
    ),
    Route("POST", "/driver/move", handler=driver_page.move, permission=may.MOVE_LEGS, summary="the next of five steps"),
    Route("GET", "/phone", handler=demo_phones.show, permission=may.DEMO, summary="the demo phones"),
    Route(
        "GET", "/phone/texts", handler=demo_phones.texts, permission=may.DEMO, summary="what arrived on a demo phone"
    ),
    Route(
        "GET", "/driver-worker.js", handler=pages.worker, permission=may.PUBLIC, summary="these pages without a network"
    ),
    Route(
        "GET",
        "/pages/{version}/{name}",
        handler=pages.static_file,
        permission=may.PUBLIC,
        summary="style and script of these pages",
    ),
)
