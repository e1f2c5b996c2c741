"""The register of every door: the JSON API here, the pages' and webhooks' in their own rooms."""

from __future__ import annotations

from actions import erasing, exporting
from actions.owners import Imported
from dealer_api import permissions as may
from dealer_api.api import (
    accounts,
    alerts,
    bookings,
    cases,
    contract,
    events,
    handovers,
    health,
    legs,
    offers,
    owners,
    quarantine,
    sessions,
    vehicles,
)
from dealer_api.bodies import Nothing, Page
from dealer_api.desk.routes import ROUTES as DESK
from dealer_api.inbound.routes import ROUTES as INBOUND
from dealer_api.owner.routes import ROUTES as OWNER
from dealer_api.route import Route
from rules.service.photographs import LARGEST
from schemas.account import Staff
from schemas.alert import Alert
from schemas.booking import Booking
from schemas.consent import Consent, Owner
from schemas.estimate import EstimateLine
from schemas.slot import Resource
from schemas.vehicle import Vehicle

_V1 = "/api/v1"

# fmt: off
API: tuple[Route, ...] = (
    Route("GET", f"{_V1}/openapi.json", contract.openapi, may.PUBLIC, "This API's description (OpenAPI 3.1)"),
    Route("POST", f"{_V1}/session", sessions.open_session, may.PUBLIC,
          "Sign in as a person; sets the session's cookie", sessions.SignIn, sessions.SignedIn, status=201),
    Route("GET", f"{_V1}/session", sessions.show_session, may.SEE_SELF, "Who am I", answer=sessions.SignedIn),
    Route("DELETE", f"{_V1}/session", sessions.close_session, may.LEAVE, "Sign out", status=204),
    # cases
    Route("GET", f"{_V1}/cases", cases.listed, may.READ_CASES,
          "The queue: the most urgent first, then the oldest", answer=Page[cases.CaseRow], query=cases.CaseQuery),
    Route("POST", f"{_V1}/cases", cases.create, may.WORK_CASES,
          "Open a case by hand: a customer rang", cases.NewCase, cases.CaseWhole, status=201),
    Route("GET", f"{_V1}/cases/{{id}}", cases.one, may.READ_CASES,
          "One case with alerts, offers, bookings, history, conversation and its next step", answer=cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/acknowledge", cases.acknowledge, may.WORK_CASES,
          "Take the case; ends the notices to staff", Nothing, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/assign", cases.assign, may.WORK_CASES,
          "Hand it to a colleague", cases.Assign, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/dismiss", cases.dismiss, may.WORK_CASES,
          "Close it without work, with a reason", cases.Reason, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/reopen", cases.reopen, may.WORK_CASES,
          "It was dismissed too early", cases.Reason, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/confirm", cases.confirm, may.CONFIRM_CASES,
          "It is healed, and how that is known, where the car cannot prove it", cases.Confirmed, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/offers", cases.offer, may.MAKE_OFFERS,
          "Hold two free windows and ask the owner by text", cases.NewOffer, offers.OfferWhole, status=201),
    Route("POST", f"{_V1}/cases/{{id}}/messages", cases.write, may.WRITE_TO_OWNERS,
          "Write to the owner about this case", cases.Words, cases.Queued, status=201),
    # what the cars say
    Route("GET", f"{_V1}/alerts", alerts.listed, may.READ_ALERTS,
          "Alerts, the newest first", answer=Page[Alert], query=alerts.AlertQuery),
    Route("GET", f"{_V1}/alerts/{{id}}", alerts.one, may.READ_ALERTS,
          "One alert with its evidence and each of its moves", answer=alerts.AlertWhole),
    Route("GET", f"{_V1}/quarantine", quarantine.listed, may.READ_REFUSED,
          "Telemetry that was refused, with the reason", answer=Page[quarantine.Refused],
          query=quarantine.QuarantineQuery),
    Route("POST", f"{_V1}/quarantine/{{id}}/accept", quarantine.accept, may.DECIDE_REFUSED,
          "Let it in: it is folded as a late reading", Nothing, quarantine.Refused),
    Route("POST", f"{_V1}/quarantine/{{id}}/reject", quarantine.reject, may.DECIDE_REFUSED,
          "Throw it out, or take back what was let in: alerts that rested on it are withdrawn", Nothing,
          quarantine.Refused),
    # offers and visits
    Route("GET", f"{_V1}/windows", cases.windows, may.MAKE_OFFERS,
          "What is free now", answer=Page[cases.FreeWindow], query=cases.WindowQuery),
    Route("GET", f"{_V1}/offers/{{id}}", offers.one, may.READ_OFFERS,
          "One offer with its held windows", answer=offers.OfferWhole),
    Route("POST", f"{_V1}/offers/{{id}}/accept", offers.accept, may.MAKE_OFFERS,
          "The owner's choice, given to a person", offers.Answer, Booking, status=201),
    Route("POST", f"{_V1}/offers/{{id}}/decline", offers.decline, may.MAKE_OFFERS,
          "The owner said not now", offers.MaybeReason, offers.OfferWhole),
    Route("POST", f"{_V1}/offers/{{id}}/withdraw", offers.withdraw, may.MAKE_OFFERS,
          "Take the offer back", offers.MaybeReason, offers.OfferWhole),
    Route("GET", f"{_V1}/bookings", bookings.listed, may.READ_BOOKINGS,
          "Visits by their time", answer=Page[Booking], query=bookings.BookingQuery),
    Route("POST", f"{_V1}/bookings", bookings.create, may.BOOK,
          "Book a free window directly", bookings.NewBooking, Booking, status=201),
    Route("GET", f"{_V1}/bookings/{{id}}", bookings.one, may.READ_BOOKINGS,
          "One visit with its drives and extra work", answer=bookings.BookingWhole),
    Route("POST", f"{_V1}/bookings/{{id}}/arrive", bookings.arrive, may.WORK_BOOKINGS,
          "The car is here", Nothing, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/start", bookings.start, may.WORK_BOOKINGS,
          "Work has begun", Nothing, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/finish", bookings.finish, may.WORK_BOOKINGS,
          "Repaired, says the workshop; the case is verifying", bookings.Finding, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/hand-over", bookings.hand_over, may.WORK_BOOKINGS,
          "The owner has the car again", Nothing, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/cancel", bookings.cancel, may.BOOK,
          "It falls through; all its time is free again", cases.Reason, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/move", bookings.move, may.BOOK,
          "Another time: the old one is free, the new one taken, its owner told", bookings.Move, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/promise", bookings.promise, may.WORK_BOOKINGS,
          "Give the customer a time", bookings.Promise, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/messages", bookings.write, may.SEND_WORD,
          "The true word to a customer who waits", bookings.Template, cases.Queued, status=201),
    Route("POST", f"{_V1}/bookings/{{id}}/estimates", bookings.add_line, may.WORK_BOOKINGS,
          "Extra work that needs the owner's yes", bookings.NewLine, EstimateLine, status=201),
    Route("POST", f"{_V1}/estimates/{{id}}/answer", bookings.answer_line, may.ANSWER_ESTIMATES,
          "The owner's yes or no to one line", bookings.LineAnswer, EstimateLine),
    Route("GET", f"{_V1}/waiting", bookings.waiting, may.READ_BOOKINGS,
          "Customers who wait, with minutes since our last word", answer=Page[bookings.Waiting]),
    Route("GET", f"{_V1}/legs", legs.listed, may.READ_LEGS, "Collections and returns", answer=Page[legs.LegRow],
          query=legs.LegQuery),
    Route("POST", f"{_V1}/legs/{{id}}/move", legs.move, may.MOVE_LEGS,
          "The driver's next step", legs.Move, legs.LegRow),
    Route("POST", f"{_V1}/legs/{{id}}/assign", legs.assign, may.ASSIGN_LEGS,
          "Give the drive to another driver", legs.Driver, legs.LegRow),
    Route(
        "GET",
        f"{_V1}/bookings/{{id}}/handovers",
        handovers.listed,
        may.READ_HANDOVERS,
        "The records of a visit: what the car was like when it changed hands, and whether they stand as written",
        answer=Page[handovers.Record],
    ),
    Route(
        "POST",
        f"{_V1}/bookings/{{id}}/handovers",
        handovers.write,
        may.WRITE_HANDOVERS,
        "Write the record of one end, with the photos that came for it; it is never changed",
        handovers.NewRecord,
        handovers.Record,
        status=201,
    ),
    Route(
        "POST",
        f"{_V1}/bookings/{{id}}/photos",
        handovers.add_photo,
        may.WRITE_HANDOVERS,
        "A photo (JPEG, PNG or WebP) for the record of one end, before it is written",
        answer=handovers.Picture,
        query=handovers.PhotoQuery,
        media="image/jpeg",
        status=201,
        largest=LARGEST,
    ),
    Route("GET", f"{_V1}/photos/{{id}}", handovers.show_photo, may.READ_HANDOVERS, "A photo of a record, as JPEG"),
    # cars and owners
    Route("GET", f"{_V1}/vehicles", vehicles.listed, may.READ_VEHICLES,
          "Cars that we look after", answer=Page[Vehicle], query=vehicles.VehicleQuery),
    Route("POST", f"{_V1}/vehicles", vehicles.create, may.WRITE_VEHICLES,
          "Look after a car", vehicles.NewVehicle, Vehicle, status=201),
    Route("GET", f"{_V1}/vehicles/{{id}}", vehicles.one, may.READ_VEHICLES,
          "One car with owner, open case and newest values", answer=vehicles.VehicleWhole),
    Route("PATCH", f"{_V1}/vehicles/{{id}}", vehicles.change, may.WRITE_VEHICLES,
          "Describe it anew, or give it to another owner", vehicles.VehicleChanges, Vehicle),
    Route("GET", f"{_V1}/vehicles/{{id}}/readings", vehicles.list_readings, may.READ_VEHICLES,
          "What the car said, with its own spacing", answer=vehicles.Readings, query=vehicles.ReadingQuery),
    Route("POST", f"{_V1}/vehicles/{{id}}/enrol", vehicles.enrol, may.ENROL_VEHICLES,
          "New credentials for its telematics unit, shown once", Nothing, vehicles.Enrolled, status=201, secret=True),
    Route("POST", f"{_V1}/vehicles/{{id}}/revoke", vehicles.revoke, may.ENROL_VEHICLES,
          "It may no longer speak", offers.MaybeReason, Vehicle),
    Route("GET", f"{_V1}/owners", owners.listed, may.READ_OWNERS,
          "Owners by name", answer=Page[Owner], query=owners.OwnerQuery),
    Route("POST", f"{_V1}/owners", owners.create, may.WRITE_OWNERS, "Add an owner", owners.NewOwner, Owner, status=201),
    Route("GET", f"{_V1}/owners/unread", owners.unread, may.READ_OWNERS,
          "Owners who wrote something that nobody has read", answer=Page[owners.Unread]),
    Route("GET", f"{_V1}/owners/{{id}}", owners.one, may.READ_OWNERS,
          "One owner with cars, consent and conversation", answer=owners.OwnerWhole),
    Route("PATCH", f"{_V1}/owners/{{id}}", owners.change, may.WRITE_OWNERS,
          "Change an owner", owners.OwnerChanges, Owner),
    Route("GET", f"{_V1}/owners/{{id}}/export", owners.export, may.EXPORT_OWNERS,
          "Everything that is held about an owner; each look is written into history", answer=exporting.OwnerExport),
    Route("GET", f"{_V1}/owners/{{id}}/readings", owners.export_readings, may.EXPORT_OWNERS,
          "What their cars said while they were theirs, message by message, as CSV"),
    Route("POST", f"{_V1}/owners/{{id}}/erase", owners.erase, may.ERASE_OWNERS,
          "Erase an owner for good, with their name as a confirmation; 409 with a named state while their car is in "
          "our hands", owners.Confirmed, erasing.Erased),
    Route("POST", f"{_V1}/owners/{{id}}/consents", owners.agree, may.WRITE_OWNERS,
          "Record a yes or no, with its words", owners.Agreed, Page[Consent]),
    Route("POST", f"{_V1}/owners/{{id}}/messages", owners.write, may.WRITE_TO_OWNERS,
          "Write to an owner", cases.Words, cases.Queued, status=201),
    Route("POST", f"{_V1}/owners/{{id}}/read", owners.mark_read, may.WRITE_TO_OWNERS,
          "What they wrote has been read", Nothing, Nothing),
    Route("POST", f"{_V1}/imports", owners.import_list, may.WRITE_OWNERS,
          "Owners, cars and consent from a CSV list; says which lines were refused and why", answer=Imported,
          query=owners.ImportQuery, media="text/csv"),
    # the dealer
    Route("GET", f"{_V1}/dealer", accounts.show_dealer, may.READ_DEALER,
          "The dealer's address, hours and limits, and visits that lie outside them", answer=accounts.DealerWhole),
    Route("PATCH", f"{_V1}/dealer", accounts.change_dealer, may.WRITE_DEALER,
          "Change them", accounts.DealerChanges, accounts.DealerWhole),
    Route("GET", f"{_V1}/staff", accounts.list_staff, may.READ_STAFF, "The dealer's people", answer=Page[Staff]),
    Route("POST", f"{_V1}/staff", accounts.invite, may.WRITE_STAFF,
          "Invite a colleague", accounts.NewStaff, accounts.Invited, status=201, secret=True),
    Route("POST", f"{_V1}/staff/{{id}}/disable", accounts.disable, may.WRITE_STAFF,
          "They no longer work here", Nothing, Staff),
    Route("POST", f"{_V1}/staff/{{id}}/enable", accounts.enable, may.WRITE_STAFF,
          "They work here again", Nothing, Staff),
    Route("POST", f"{_V1}/staff/{{id}}/invite", accounts.invite_again, may.WRITE_STAFF,
          "A new link for somebody who has not chosen a password yet", Nothing, accounts.Invited, status=201,
          secret=True),
    Route("POST", f"{_V1}/staff/{{id}}/reset", accounts.reset_link, may.WRITE_STAFF,
          "A link for a new password, to be handed over", Nothing, accounts.Invited, status=201, secret=True),
    Route("POST", f"{_V1}/staff/{{id}}/second-factor/forget", accounts.forget_second_factor, may.WRITE_STAFF,
          "They lost what they had: from now on by password alone", Nothing, Staff),
    Route("PATCH", f"{_V1}/staff/{{id}}", accounts.change_staff, may.WRITE_STAFF,
          "Another role", accounts.StaffChanges, Staff),
    Route("GET", f"{_V1}/resources", accounts.list_resources, may.READ_DEALER,
          "Bays, loaners and drivers", answer=Page[Resource]),
    Route("POST", f"{_V1}/resources", accounts.add_resource, may.WRITE_DEALER,
          "Add a bay, a loaner or a tow truck", accounts.NewResource, Resource, status=201),
    Route("GET", f"{_V1}/keys", accounts.list_keys, may.KEEP_KEYS, "Keys of programs", answer=Page[accounts.Key]),
    Route("POST", f"{_V1}/keys", accounts.create_key, may.KEEP_KEYS,
          "A key for a program, shown once", accounts.NewKey, accounts.Key, status=201, secret=True),
    Route("POST", f"{_V1}/keys/revoke", accounts.revoke_key, may.KEEP_KEYS,
          "The key opens nothing any more", accounts.KeyLabel, Nothing),
)

HOUSEKEEPING: tuple[Route, ...] = (
    Route("GET", "/events", events.events, may.HEAR_CHANGES, "Live changes of this dealer (server-sent events)",
          streams=True),
    Route("GET", f"{_V1}/events", events.events, may.HEAR_CHANGES, "The same for programs", streams=True),
    Route("GET", "/health/live", health.live, may.PUBLIC, "Is the process alive"),
    Route("GET", "/health/ready", health.ready, may.PUBLIC, "Can it serve"),
)
# fmt: on

ROUTES: tuple[Route, ...] = (*API, *HOUSEKEEPING, *DESK, *OWNER, *INBOUND)


def doors(*, demo: bool) -> tuple[Route, ...]:
    """The doors of a house: a real one lacks those of the demo altogether."""
    return tuple(route for route in ROUTES if demo or not route.demo)
