"""What a manager keeps: staff, settings, and the import of owners' lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby

from aiohttp import web

from actions import accounts, calendars, owners
from dealer_api.app_keys import call
from dealer_api.bodies import posted
from dealer_api.desk import formatting
from dealer_api.desk.page import form, go, page, refused, row_of, ticked
from rules.service import opening
from rules.service.importing import COLUMNS
from schemas.account import SETTINGS, settings_of
from schemas.errors import BadInput, TelltaleError
from schemas.moment import local
from schemas.scope import MEANS
from schemas.setting import Setting
from schemas.slot import ResourceKind
from store import keeping, secrets, slots

_AHEAD = timedelta(days=120)  #: days that differ are listed so far
_SHOWN = {name: setting for name, setting in SETTINGS.items() if setting.section is not None}
_COLUMN_WORDS = {
    "name": "The owner's name. Needed.",
    "phone": "With or without country code. Phone or e-mail is needed.",
    "email": "Where texts go when there is no phone.",
    "language": "en, de or es; else yours.",
    "zone": "Time zone such as Europe/Berlin; else yours.",
    "address": "Where the car is collected.",
    "vin": "17 characters. Needed.",
    "title": "The car as people say it. Needed.",
    "plate": "As it stands on the car.",
    "profile": "The vehicle model's short name. Needed.",
    "consent_safety": "yes or no: texts that say do not drive on",
    "consent_service": "yes or no: texts about care, and offers",
    "consent_status": "yes or no: texts about a visit",
    "consent_survey": "yes or no: one question afterwards",
    "consent_at": "The day they said it, such as 2026-03-01, or a time with its zone.",
    "consent_source": "Where they said it.",
    "consent_wording": "The words they were shown.",
}
EXAMPLE = (
    "name;phone;language;address;vin;title;plate;profile;consent_service;consent_status;consent_at;consent_source;consent_wording\n"
    "Ana Ruiz;+49 151 23456789;es;Lange Reihe 4, 20099 Hamburg;WVWZZZ1KZAW000123;VW Golf;HH-AR 12;petrol_hatch;yes;yes;"
    "2026-03-02;order form;I want texts about my car's care and my visits.\n"
)


async def show_import(request: web.Request) -> web.Response:
    return await _import_page(request)


async def import_list(request: web.Request) -> web.Response:
    caller, fields = call(request), await posted(request)
    upload = fields.get("file")
    try:
        if not isinstance(upload, web.FileField):
            raise BadInput("file", "choose a CSV file")
        try:
            text = upload.file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BadInput("file", "is not UTF-8: save it as CSV UTF-8") from None
        report = await owners.import_list(caller, text, dry_run=fields.get("act") == "check")
    except BadInput as error:
        return await _import_page(request, problem=f"{error.field.capitalize()}: {error.reason}.", status=422)
    return await _import_page(request, report=report)


async def show_settings(request: web.Request) -> web.Response:
    return await _settings_page(request, _kept(request))


async def change_settings(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        changes = {name: _chosen(name, setting, fields.get(name, "")) for name, setting in _SHOWN.items()}
        await accounts.update_dealer(caller, changes)
    except BadInput as error:
        shown = {name: fields.get(name, "") for name in _SHOWN}
        return await _settings_page(
            request, shown, problem=f"{formatting.plain(error.field).capitalize()}: {error.reason}.", status=422
        )
    return go("/settings", "Saved. Bookings that stand keep standing.")


def _chosen(name: str, setting: Setting, text: str) -> str | int:
    """One field of the form, or BadInput with its title."""
    if setting.unit:
        number = row_of(text, setting.title, setting.range)
        if not setting.least <= number <= setting.most:
            raise BadInput(setting.title, setting.range)
        return number
    if name == "second_factor":
        if text not in ("", *formatting.SECOND_FACTOR):
            raise BadInput(setting.title, "choose of whom more than a password is asked")
        return text or "nobody"
    if name == "handover_record":
        if text not in formatting.RECORDS:
            raise BadInput(setting.title, "choose where it must be written")
        return text
    if name == "two_units":
        if text not in ("", *formatting.TWO_UNITS):
            raise BadInput(setting.title, "choose what happens then")
        return text or "tell"
    if not text and setting.least:
        raise BadInput(setting.title, "is empty")
    if not setting.least <= len(text) <= setting.most:
        raise BadInput(setting.title, f"has from {setting.least} to {setting.most} characters")
    return text


async def add_resource(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        if fields.get("kind") not in ("bay", "loaner", "tow_truck", "van") or not fields.get("name"):
            raise BadInput("name", "say what it is and how it is called")
        await accounts.add_resource(caller, fields["kind"], fields["name"][:60])
    except TelltaleError as error:
        return refused(error, "/settings")
    return go("/settings", f"{fields['name']} is there. Windows are offered for it from now on.")


async def retire_resource(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    again = fields.get("act") == "again"
    try:
        name = await accounts.retire_resource(
            caller, row_of(fields.get("resource"), "resource", "choose which one"), again=again
        )
    except TelltaleError as error:
        return refused(error, "/settings#bays-title")
    note = f"{name} is in use again." if again else f"{name} is retired: no window is offered for it any more."
    return go("/settings#bays-title", note)


async def create_key(request: web.Request) -> web.Response:
    """The key is on the answer to this very form and nowhere else."""
    caller, fields = call(request), await form(request)
    try:
        if not fields.get("label"):
            raise BadInput("name", "say which program it is for")
        days = fields.get("days", "365")
        ends = (
            None
            if days == ""
            else caller.house.now()
            + timedelta(days=min(row_of(days, "expires", "choose how long the key is to work"), 3_650))
        )
        token = await accounts.create_key(caller, fields["label"][:60], await ticked(request, "scope"), ends)
    except TelltaleError as error:
        return refused(error, "/settings")
    return await _settings_page(request, _kept(request), key=(fields["label"], token))


async def revoke_key(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        await accounts.revoke_key(caller, fields.get("label", ""))
    except TelltaleError as error:
        return refused(error, "/settings")
    return go("/settings", "The key opens nothing any more.")


async def show_more(request: web.Request) -> web.Response:
    return await page(request, "more.html")


async def _import_page(
    request: web.Request, *, report: owners.Imported | None = None, problem: str | None = None, status: int = 200
) -> web.Response:
    columns = [(name, _COLUMN_WORDS.get(name, "")) for name in COLUMNS]
    return await page(
        request, "import.html", report=report, problem=problem, columns=columns, example=EXAMPLE, status=status
    )


async def _settings_page(
    request: web.Request,
    fields: Mapping[str, str],
    *,
    problem: str | None = None,
    key: tuple[str, str] | None = None,
    status: int = 200,
    calendar: str = "",
) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        resources = [
            resource
            for resource in await slots.resources(connection, caller.dealer_id)
            if resource.kind not in (ResourceKind.DRIVER, ResourceKind.TECHNICIAN)
        ]
        retired = await slots.retired(connection, caller.dealer_id)
        keys = await secrets.labels(connection, caller.dealer_id, "api_key")
        taken = await keeping.last(connection, caller.dealer_id)
    unheard = await owners.unheard(caller.house, caller.dealer_id)
    today = local(caller.house.now(), caller.dealer.zone).date()
    differing = opening.days_that_differ(caller.dealer, today, today + _AHEAD)
    regions = opening.regions(caller.dealer.country)
    async with call(request).house.at(call(request).dealer_id) as connection:
        feed = await calendars.made_at(connection, call(request).dealer_id, None)
    return await page(
        request,
        "settings.html",
        calendar=calendar,
        feed=feed,
        differing=differing,
        regions=regions,
        fields=fields,
        house=settings_of("house"),
        drives=settings_of("drives"),
        limits=settings_of("limits"),
        kept=settings_of("kept"),
        taken=taken,
        problem=problem,
        resources=resources,
        retired=retired,
        keys=keys,
        key=key,
        unheard=unheard,
        grants=[
            (thing, list(found)) for thing, found in groupby(MEANS.items(), key=lambda item: item[0].partition(":")[0])
        ],
        status=status,
    )


def _kept(request: web.Request) -> dict[str, str]:
    dealer = call(request).dealer.model_dump()
    return {name: str(dealer[name]) for name in _SHOWN}


async def settings_with(request: web.Request, *, calendar: str) -> web.Response:
    """The page with the address of a new calendar feed, shown once."""
    return await _settings_page(request, _kept(request), calendar=calendar)
