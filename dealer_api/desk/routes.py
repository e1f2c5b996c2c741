"""The register of the desk's pages: method, path, handler and who may knock."""

from __future__ import annotations

from dealer_api.desk import cases, house, offers, owners, quarantine, queue, sign_in, texts, today, vehicles, visits, waiting
from dealer_api.route import PEOPLE, PUBLIC, Route

_STAFF = frozenset({"technician", "advisor", "manager"})
_ADVISORS = frozenset({"advisor", "manager"})
_MANAGERS = frozenset({"manager"})
_DRIVING = frozenset({"driver", "advisor", "manager"})

ROUTES: tuple[Route, ...] = (
    Route("GET", "/", sign_in.home, PEOPLE),
    Route("GET", "/sign-in", sign_in.show, PUBLIC),
    Route("POST", "/sign-in", sign_in.enter, PUBLIC),
    Route("POST", "/sign-in/demo", sign_in.enter_demo, PUBLIC),
    Route("POST", "/sign-out", sign_in.leave, PEOPLE),
    Route("GET", "/invitation/{token}", sign_in.show_invitation, PUBLIC),
    Route("POST", "/invitation/{token}", sign_in.accept_invitation, PUBLIC),
    Route("GET", "/queue", queue.show, _STAFF),
    Route("GET", "/cases/new", cases.show_new, _ADVISORS),
    Route("POST", "/cases/new", cases.create, _ADVISORS),
    Route("GET", "/cases/{id}", cases.show, _STAFF),
    Route("POST", "/cases/{id}/take", cases.take, _ADVISORS),
    Route("POST", "/cases/{id}/assign", cases.assign, _ADVISORS),
    Route("POST", "/cases/{id}/dismiss", cases.dismiss, _ADVISORS),
    Route("POST", "/cases/{id}/reopen", cases.reopen, _ADVISORS),
    Route("GET", "/cases/{id}/offer", offers.show, _ADVISORS),
    Route("POST", "/cases/{id}/offer", offers.send, _ADVISORS),
    Route("POST", "/cases/{id}/book", offers.book, _ADVISORS),
    Route("POST", "/offers/{id}/accept", offers.accept, _ADVISORS),
    Route("POST", "/offers/{id}/decline", offers.decline, _ADVISORS),
    Route("POST", "/bookings/{id}/arrive", visits.arrive, _STAFF),
    Route("POST", "/bookings/{id}/start", visits.start, _STAFF),
    Route("POST", "/bookings/{id}/finish", visits.finish, _STAFF),
    Route("POST", "/bookings/{id}/hand-over", visits.hand_over, _STAFF),
    Route("POST", "/bookings/{id}/cancel", visits.cancel, _ADVISORS),
    Route("POST", "/bookings/{id}/promise", visits.promise, _STAFF),
    Route("POST", "/bookings/{id}/words", visits.send_word, _STAFF),
    Route("GET", "/today", today.show, PEOPLE),
    Route("POST", "/legs/{id}/move", today.move, _DRIVING),
    Route("POST", "/legs/{id}/assign", today.assign, _ADVISORS),
    Route("GET", "/waiting", waiting.show, _STAFF),
    Route("GET", "/vehicles", vehicles.show_list, _STAFF),
    Route("GET", "/vehicles/{id}", vehicles.show, _STAFF),
    Route("POST", "/vehicles/{id}/enrol", vehicles.enrol, _ADVISORS),
    Route("POST", "/vehicles/{id}/revoke", vehicles.revoke, _ADVISORS),
    Route("POST", "/vehicles/{id}/owner", vehicles.give, _ADVISORS),
    Route("GET", "/quarantine", quarantine.show, _STAFF),
    Route("POST", "/quarantine/{id}/accept", quarantine.accept, _ADVISORS),
    Route("POST", "/quarantine/{id}/reject", quarantine.reject, _ADVISORS),
    Route("GET", "/owners", owners.show_list, _ADVISORS),
    Route("GET", "/owners/new", owners.show_new, _ADVISORS),
    Route("POST", "/owners/new", owners.create, _ADVISORS),
    Route("GET", "/owners/{id}", owners.show, _ADVISORS),
    Route("POST", "/owners/{id}", owners.update, _ADVISORS),
    Route("POST", "/owners/{id}/consents", owners.consent, _ADVISORS),
    Route("POST", "/owners/{id}/texts", texts.send, _ADVISORS),
    Route("POST", "/owners/{id}/read", texts.mark_read, _ADVISORS),
    Route("POST", "/strangers/{id}/read", owners.read_stranger, _ADVISORS),
    Route("POST", "/texts/measure", texts.measure, _ADVISORS),
    Route("GET", "/import", house.show_import, _ADVISORS),
    Route("POST", "/import", house.import_list, _ADVISORS),
    Route("GET", "/staff", house.show_staff, _MANAGERS),
    Route("POST", "/staff", house.invite, _MANAGERS),
    Route("POST", "/staff/{id}/disable", house.disable, _MANAGERS),
    Route("GET", "/settings", house.show_settings, _MANAGERS),
    Route("POST", "/settings", house.change_settings, _MANAGERS),
    Route("POST", "/settings/resources", house.add_resource, _MANAGERS),
    Route("POST", "/settings/keys", house.create_key, _MANAGERS),
    Route("POST", "/settings/keys/revoke", house.revoke_key, _MANAGERS),
    Route("GET", "/more", house.show_more, PEOPLE),
)
