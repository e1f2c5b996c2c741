"""The demo phone's answers.

They have no signature to check, so a real house has no such door; a demo takes its own forms only.
"""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

from dealer_api.app_keys import HOUSE
from dealer_api.authentication import own_form
from dealer_api.bodies import posted
from dealer_api.inbound.handle_reply import handle
from schemas.errors import BadInput
from schemas.thread import Reply


async def answered(request: web.Request) -> web.StreamResponse:
    """`from`, `to`, `body` and perhaps `id`, as a form or as JSON; `back` is the phone page to return to."""
    own_form(request)
    house = request.app[HOUSE]
    fields = await _fields(request)
    for name in ("from", "to", "body"):
        if not fields.get(name, "").strip():
            raise BadInput(name, "is missing")
    handled = await handle(
        house,
        Reply(
            channel="phone",
            provider_id=fields.get("id") or f"typed-{secrets.token_hex(8)}",
            from_address=fields["from"].strip(),
            to_address=fields["to"].strip(),
            body=fields["body"],
            received_at=house.now(),
        ),
    )
    back = fields.get("back", "")
    if back == "/phone" or back.startswith(("/phone/", "/phone?")):
        raise web.HTTPSeeOther(back)
    meaning = handled.understood.meaning.value if handled.understood else "other"
    return web.json_response(
        {"reply": handled.reply_id, "understood": meaning}, status=200 if handled.reply_id is None else 201
    )


async def _fields(request: web.Request) -> dict[str, str]:
    if request.content_type == "application/json":
        try:
            found: Any = await request.json()
        except ValueError:
            raise BadInput("body", "is no JSON") from None
        if not isinstance(found, dict):
            raise BadInput("body", "must be a JSON object")
    else:
        found = await posted(request)
    return {str(name): value for name, value in found.items() if isinstance(value, str)}
