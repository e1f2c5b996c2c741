"""How far the first days of a house are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.service.first_run import how_far, left
from schemas.step import Facts, How, Step

NOTHING = Facts(
    hours_saved=False,
    joined=0,
    invited=0,
    drivers=0,
    drivers_invited=0,
    bays=0,
    owners=False,
    cars=False,
    enrolled=False,
    heard=False,
    text_state=None,
)


def test_a_new_house_has_every_step_before_it():
    assert set(how_far(NOTHING, (), leaves=True).values()) == {How.NOT_YET}
    assert left(how_far(NOTHING, (), leaves=True)) == len(Step)


@pytest.mark.parametrize(
    ("known", "step", "how"),
    [
        ({"hours_saved": True}, Step.HOURS, How.DONE),
        ({"invited": 2}, Step.PEOPLE, How.INVITED),
        ({"joined": 1, "invited": 2}, Step.PEOPLE, How.DONE),
        ({"drivers_invited": 1}, Step.DRIVER, How.INVITED),
        ({"drivers": 1}, Step.DRIVER, How.DONE),
        ({"bays": 1}, Step.BAYS, How.DONE),
        ({"owners": True}, Step.OWNERS, How.NO_CARS),
        ({"owners": True, "cars": True}, Step.OWNERS, How.DONE),
        ({"cars": True}, Step.CAR, How.NOT_ENROLLED),
        ({"cars": True, "enrolled": True}, Step.CAR, How.NOT_HEARD),
        ({"cars": True, "enrolled": True, "heard": True}, Step.CAR, How.DONE),
        ({"text_state": "queued"}, Step.TEXT, How.ON_ITS_WAY),
        ({"text_state": "claimed"}, Step.TEXT, How.ON_ITS_WAY),
        ({"text_state": "failed"}, Step.TEXT, How.FAILED),
        ({"text_state": "sent"}, Step.TEXT, How.DONE),
        ({"text_state": "delivered"}, Step.TEXT, How.DONE),
    ],
)
def test_each_step_says_what_the_rows_say(known, step, how):
    assert how_far(replace(NOTHING, **known), (), leaves=True)[step] is how


def test_where_nothing_can_leave_no_text_is_on_its_way():
    for state in (None, "queued", "failed"):
        assert how_far(replace(NOTHING, text_state=state), (), leaves=False)[Step.TEXT] is How.NO_WAY_OUT


def test_what_was_put_aside_is_not_left_and_what_is_done_stays_done():
    found = how_far(replace(NOTHING, bays=1), {"driver", "bays"}, leaves=True)
    assert found[Step.DRIVER] is How.ASIDE and found[Step.BAYS] is How.DONE
    assert left(found) == len(Step) - 2
