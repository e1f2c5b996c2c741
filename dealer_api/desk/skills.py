"""What a technician knows: from then on their hours are planned."""

from __future__ import annotations

from aiohttp import web

from actions import labour
from dealer_api.app_keys import call
from dealer_api.desk.page import go, id_of, refused, ticked
from schemas.errors import BadInput, TelltaleError
from schemas.operation import Skill


async def save(request: web.Request) -> web.Response:
    caller, staff_id = call(request), id_of(request)
    here = f"/staff/{staff_id}"
    try:
        wanted = await ticked(request, "skill")
        if not set(wanted) <= set(Skill):
            raise BadInput("skills", f"are of {', '.join(Skill)}")
        await labour.set_skills(caller, staff_id, frozenset(Skill(one) for one in wanted))
    except TelltaleError as error:
        return refused(error, here)
    return go(
        here, "Their hours are planned from now on." if wanted else "Their hours are not planned; what was is others'."
    )
