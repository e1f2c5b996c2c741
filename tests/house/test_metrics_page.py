"""Metrics are a promise to whoever watches: written down, named as Prometheus people expect, and silent about persons
and cars.
"""

from __future__ import annotations

import re

import pytest

from telltale.metrics_page import LABELS, PAGE, Metric, labels, metrics, name, page

ALL = [metric for found in metrics().values() for metric in found]
#: Words of facts about a person or a car, of which no label may be one.
_PRIVATE = re.compile(
    r"vin|plate|phone|number|email|mail|name|address|owner|staff|person|vehicle|dealer|token|link|url|body|host|ip|user|actor|id"
)


def test_the_page_of_metrics_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python -m telltale.metrics_page"


def test_no_two_metrics_have_the_same_name() -> None:
    assert len({name(metric) for metric in ALL}) == len(ALL)


@pytest.mark.parametrize("metric", ALL, ids=name)
def test_a_metric_is_named_as_the_field_expects(metric: Metric) -> None:
    """One prefix, base units, _total for what only grows."""
    result, kind = name(metric), type(metric).__name__
    assert re.fullmatch(r"telltale_[a-z]+(_[a-z]+)*", result)
    assert result.endswith("_total") == (kind == "Counter")
    assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|kilobytes|megabytes|percent)(_|$)", result)
    if kind == "Histogram":
        assert result.endswith("_seconds")
    assert metric._documentation and "|" not in metric._documentation


@pytest.mark.parametrize("metric", [metric for metric in ALL if labels(metric)], ids=name)
def test_no_label_can_hold_a_person_or_a_car(metric: Metric) -> None:
    for label in labels(metric):
        assert label in LABELS, "say in telltale/metrics_page.py what it may hold"
        assert not _PRIVATE.fullmatch(label)


def test_every_label_that_is_explained_is_used() -> None:
    assert {label for metric in ALL for label in labels(metric)} == set(LABELS)
