"""The register of every door: the JSON API here, the pages' and webhooks' in their own rooms."""

from __future__ import annotations

from dealer_api.acts.owners import Imported
from dealer_api.bodies import Page
from dealer_api.desk.routes import ROUTES as DESK
from dealer_api.handlers import (
    accounts,
    alerts,
    bookings,
    cases,
    contract,
    events,
    health,
    legs,
    offers,
    owners,
    quarantine,
    sessions,
    vehicles,
)
from dealer_api.inbound.routes import ROUTES as INBOUND
from dealer_api.owner.routes import ROUTES as OWNER
from dealer_api.route import ADVISOR, DRIVING, EVERYONE, MANAGER, PEOPLE, PUBLIC, WORKSHOP, Route
from schemas.account import Staff
from schemas.alert import Alert
from schemas.booking import Booking
from schemas.consent import Consent, Owner
from schemas.estimate import EstimateLine
from schemas.slot import Resource
from schemas.vehicle import Vehicle

_V1 = "/api/v1"

API: tuple[Route, ...] = (
    Route("GET", f"{_V1}/openapi.json", contract.openapi, PUBLIC, "This API's description (OpenAPI 3.1)"),
    Route("POST", f"{_V1}/session", sessions.open_session, PUBLIC, "Sign in as a person; sets the session's cookie", sessions.SignIn, sessions.SignedIn, status=201),
    Route("GET", f"{_V1}/session", sessions.show_session, EVERYONE, "Who am I", answer=sessions.SignedIn),
    Route("DELETE", f"{_V1}/session", sessions.close_session, PEOPLE, "Sign out", status=204),
    # cases
    Route("GET", f"{_V1}/cases", cases.listed, EVERYONE, "The queue: the most urgent first, then the oldest", answer=Page[cases.CaseRow], query=cases.CaseQuery),
    Route("POST", f"{_V1}/cases", cases.create, ADVISOR, "Open a case by hand: a customer rang", cases.NewCase, cases.CaseWhole, status=201),
    Route("GET", f"{_V1}/cases/{{id}}", cases.one, EVERYONE, "One case with alerts, offers, bookings, history, conversation and its next step", answer=cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/acknowledge", cases.acknowledge, ADVISOR, "Take the case; ends the notices to staff", cases.Nothing, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/assign", cases.assign, ADVISOR, "Hand it to a colleague", cases.Assign, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/dismiss", cases.dismiss, ADVISOR, "Close it without work, with a reason", cases.Reason, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/reopen", cases.reopen, ADVISOR, "It was dismissed too early", cases.Reason, cases.CaseWhole),
    Route("POST", f"{_V1}/cases/{{id}}/offers", cases.offer, ADVISOR, "Hold two free windows and ask the owner by text", cases.NewOffer, offers.OfferWhole, status=201),
    Route("POST", f"{_V1}/cases/{{id}}/messages", cases.write, ADVISOR, "Write to the owner about this case", cases.Words, cases.Queued, status=201),
    # what the cars say
    Route("GET", f"{_V1}/alerts", alerts.listed, EVERYONE, "Alerts, the newest first", answer=Page[Alert], query=alerts.AlertQuery),
    Route("GET", f"{_V1}/alerts/{{id}}", alerts.one, EVERYONE, "One alert with its evidence and each of its moves", answer=alerts.AlertWhole),
    Route("GET", f"{_V1}/quarantine", quarantine.listed, WORKSHOP, "Telemetry that was refused, with the reason", answer=Page[quarantine.Refused], query=quarantine.QuarantineQuery),
    Route("POST", f"{_V1}/quarantine/{{id}}/accept", quarantine.accept, WORKSHOP, "Let it in: it is folded as a late reading", cases.Nothing, quarantine.Refused),
    Route("POST", f"{_V1}/quarantine/{{id}}/reject", quarantine.reject, WORKSHOP, "Throw it out, or take back what was let in: alerts that rested on it are withdrawn", cases.Nothing, quarantine.Refused),
    # offers and visits
    Route("GET", f"{_V1}/windows", cases.windows, ADVISOR, "What is free now", answer=Page[cases.FreeWindow], query=cases.WindowQuery),
    Route("GET", f"{_V1}/offers/{{id}}", offers.one, EVERYONE, "One offer with its held windows", answer=offers.OfferWhole),
    Route("POST", f"{_V1}/offers/{{id}}/accept", offers.accept, ADVISOR, "The owner's choice, given to a person", offers.Answer, Booking, status=201),
    Route("POST", f"{_V1}/offers/{{id}}/decline", offers.decline, ADVISOR, "The owner said not now", offers.MaybeReason, offers.OfferWhole),
    Route("POST", f"{_V1}/offers/{{id}}/withdraw", offers.withdraw, ADVISOR, "Take the offer back", offers.MaybeReason, offers.OfferWhole),
    Route("GET", f"{_V1}/bookings", bookings.listed, EVERYONE, "Visits by their time", answer=Page[Booking], query=bookings.BookingQuery),
    Route("POST", f"{_V1}/bookings", bookings.create, ADVISOR, "Book a free window directly", bookings.NewBooking, Booking, status=201),
    Route("GET", f"{_V1}/bookings/{{id}}", bookings.one, EVERYONE, "One visit with its drives and extra work", answer=bookings.BookingWhole),
    Route("POST", f"{_V1}/bookings/{{id}}/arrive", bookings.arrive, WORKSHOP, "The car is here", cases.Nothing, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/start", bookings.start, WORKSHOP, "Work has begun", cases.Nothing, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/finish", bookings.finish, WORKSHOP, "Repaired, says the workshop; the case is verifying", bookings.Finding, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/hand-over", bookings.hand_over, WORKSHOP, "The owner has the car again", cases.Nothing, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/cancel", bookings.cancel, ADVISOR, "It falls through; all its time is free again", cases.Reason, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/promise", bookings.promise, WORKSHOP, "Give the customer a time", bookings.Promise, Booking),
    Route("POST", f"{_V1}/bookings/{{id}}/messages", bookings.write, WORKSHOP, "The true word to a customer who waits", bookings.Template, cases.Queued, status=201),
    Route("POST", f"{_V1}/bookings/{{id}}/estimates", bookings.add_line, WORKSHOP, "Extra work that needs the owner's yes", bookings.NewLine, EstimateLine, status=201),
    Route("POST", f"{_V1}/estimates/{{id}}/answer", bookings.answer_line, ADVISOR, "The owner's yes or no to one line", bookings.LineAnswer, EstimateLine),
    Route("GET", f"{_V1}/waiting", bookings.waiting, EVERYONE, "Customers who wait, with minutes since our last word", answer=Page[bookings.Waiting]),
    Route("GET", f"{_V1}/legs", legs.listed, EVERYONE, "Collections and returns", answer=Page[legs.LegRow], query=legs.LegQuery),
    Route("POST", f"{_V1}/legs/{{id}}/move", legs.move, DRIVING, "The driver's next step", legs.Move, legs.LegRow),
    Route("POST", f"{_V1}/legs/{{id}}/assign", legs.assign, ADVISOR, "Give the drive to another driver", legs.Driver, legs.LegRow),
    # cars and owners
    Route("GET", f"{_V1}/vehicles", vehicles.listed, EVERYONE, "Cars that we look after", answer=Page[Vehicle], query=vehicles.VehicleQuery),
    Route("POST", f"{_V1}/vehicles", vehicles.create, ADVISOR, "Look after a car", vehicles.NewVehicle, Vehicle, status=201),
    Route("GET", f"{_V1}/vehicles/{{id}}", vehicles.one, EVERYONE, "One car with owner, open case and newest values", answer=vehicles.VehicleWhole),
    Route("PATCH", f"{_V1}/vehicles/{{id}}", vehicles.change, ADVISOR, "Describe it anew, or give it to another owner", vehicles.VehicleChanges, Vehicle),
    Route("GET", f"{_V1}/vehicles/{{id}}/readings", vehicles.said, EVERYONE, "What the car said, with its own spacing", answer=vehicles.Readings, query=vehicles.ReadingQuery),
    Route("POST", f"{_V1}/vehicles/{{id}}/enrol", vehicles.enrol, ADVISOR, "New credentials for its telematics unit, shown once", cases.Nothing, vehicles.Enrolled, status=201, secret=True),
    Route("POST", f"{_V1}/vehicles/{{id}}/revoke", vehicles.revoke, ADVISOR, "It may no longer speak", offers.MaybeReason, Vehicle),
    Route("GET", f"{_V1}/owners", owners.listed, ADVISOR, "Owners by name", answer=Page[Owner], query=owners.OwnerQuery),
    Route("POST", f"{_V1}/owners", owners.create, ADVISOR, "Add an owner", owners.NewOwner, Owner, status=201),
    Route("GET", f"{_V1}/owners/unread", owners.unread, ADVISOR, "Owners who wrote something that nobody has read", answer=Page[owners.Unread]),
    Route("GET", f"{_V1}/owners/{{id}}", owners.one, ADVISOR, "One owner with cars, consent and conversation", answer=owners.OwnerWhole),
    Route("PATCH", f"{_V1}/owners/{{id}}", owners.change, ADVISOR, "Change an owner", owners.OwnerChanges, Owner),
    Route("POST", f"{_V1}/owners/{{id}}/consents", owners.agree, ADVISOR, "Record a yes or no, with its words", owners.Agreed, Page[Consent]),
    Route("POST", f"{_V1}/owners/{{id}}/messages", owners.write, ADVISOR, "Write to an owner", cases.Words, cases.Queued, status=201),
    Route("POST", f"{_V1}/owners/{{id}}/read", owners.mark_read, ADVISOR, "What they wrote has been read", cases.Nothing, cases.Nothing),
    Route("POST", f"{_V1}/imports", owners.import_list, ADVISOR, "Owners, cars and consent from a CSV list; says which lines were refused and why", answer=Imported, query=owners.ImportQuery, media="text/csv"),
    # the dealer
    Route("GET", f"{_V1}/dealer", accounts.show_dealer, EVERYONE, "The dealer's address, hours and limits, and visits that lie outside them", answer=accounts.DealerWhole),
    Route("PATCH", f"{_V1}/dealer", accounts.change_dealer, MANAGER, "Change them", accounts.DealerChanges, accounts.DealerWhole),
    Route("GET", f"{_V1}/staff", accounts.list_staff, EVERYONE, "The dealer's people", answer=Page[Staff]),
    Route("POST", f"{_V1}/staff", accounts.invite, MANAGER, "Invite a colleague", accounts.NewStaff, accounts.Invited, status=201, secret=True),
    Route("POST", f"{_V1}/staff/{{id}}/disable", accounts.disable, MANAGER, "They no longer work here", cases.Nothing, Staff),
    Route("GET", f"{_V1}/resources", accounts.list_resources, ADVISOR, "Bays, loaners and drivers", answer=Page[Resource]),
    Route("POST", f"{_V1}/resources", accounts.add_resource, MANAGER, "Add a bay or a loaner", accounts.NewResource, Resource, status=201),
    Route("GET", f"{_V1}/keys", accounts.list_keys, frozenset({"manager"}), "Keys of programs", answer=Page[accounts.Key]),
    Route("POST", f"{_V1}/keys", accounts.create_key, frozenset({"manager"}), "A key for a program, shown once", accounts.NewKey, accounts.Key, status=201, secret=True),
    Route("POST", f"{_V1}/keys/revoke", accounts.revoke_key, frozenset({"manager"}), "The key opens nothing any more", accounts.NewKey, cases.Nothing),
)

HOUSEKEEPING: tuple[Route, ...] = (
    Route("GET", "/events", events.events, PEOPLE, "Live changes of this dealer (server-sent events)", streams=True),
    Route("GET", "/health/live", health.live, PUBLIC, "Is the process alive"),
    Route("GET", "/health/ready", health.ready, PUBLIC, "Can it serve"),
    Route("GET", "/metrics", health.metrics, PUBLIC, "Counters, for a scraper on this machine"),
)

ROUTES: tuple[Route, ...] = (*API, *HOUSEKEEPING, *DESK, *OWNER, *INBOUND)
