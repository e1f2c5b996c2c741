"""docs/reference/promises.md, made from what is promised and how each promise was last proved: `python -m
proofs.promises` writes it.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from proofs import results
from telltale.data import ROOT

PAGE = ROOT / "docs" / "reference" / "promises.md"
#: Where the switches of each proof stand; what `telltale prove` can do and no promise names is a fault of this page.
PROOFS = (
    "intake",
    "shares",
    "backlog",
    "imports",
    "booking",
    "month",
    "messages",
    "stops",
    "replies",
    "operations",
    "fuzz",
    "guards",
    "doors",
    "sudden",
)


@dataclass(frozen=True)
class Promise:
    """`switches` are `proof switch`, `tests` are `file::test` under tests/."""

    words: str
    because: str
    commands: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


PROMISES = (
    Promise(
        "A message that we acknowledged is in PostgreSQL, on its disk.",
        "the broker hears of it after COMMIT; a gateway refuses servers that forget",
        commands=("intake", "backlog --broker mosquitto", "backlog --broker embedded", "operations"),
        switches=(
            "intake ack-before-commit",
            "intake no-epoch",
            "backlog ack-on-arrival",
            "operations ack-before-commit",
            "operations no-session-keep",
            "operations asynchronous-standby",
        ),
        tests=(
            "integration/gateway/test_faults.py::test_a_database_killed_under_load_costs_nothing",
            "integration/gateway/test_loop.py::test_an_ack_of_an_older_connection_is_not_sent",
            "integration/gateway/test_self_check.py::test_a_database_on_which_commit_does_not_mean_on_disk_is_refused",
        ),
    ),
    Promise(
        "Each message counts once, however often it comes.",
        "car, boot and number are one key, in the transaction that stores it; one gateway holds a bucket",
        commands=("intake", "shares", "operations"),
        switches=("intake no-dedupe", "intake no-units", "shares no-lease", "operations no-dedupe"),
        tests=(
            "integration/gateway/test_loop.py::test_a_message_that_comes_twice_counts_once",
            "integration/gateway/test_loop.py::test_a_device_without_counters_is_stored_once_by_its_payload",
        ),
    ),
    Promise(
        "What network or broker lose is noticed, and asked for again.",
        "gaps in the numbers are kept; a car forgets on our own word, not on the broker's",
        commands=("intake", "operations"),
        switches=("intake no-application-ack",),
        tests=(
            "integration/gateway/test_faults.py::test_a_broker_killed_with_its_store_wiped_costs_nothing",
            "integration/gateway/test_loop.py::test_a_gap_is_asked_for_and_what_waited_behind_it_is_judged_in_order",
        ),
    ),
    Promise(
        "Alerts after a crash are those that there would have been without it.",
        "memory, alert and what follows from it are one transaction; rows are judged in their order",
        commands=("intake", "shares", "operations", "imports"),
        switches=("intake no-dedupe", "shares no-lease", "imports no-cursor"),
        tests=(
            "unit/rules/test_order.py::test_any_order_of_arrival_gives_the_alerts_of_the_sorted_stream",
            "integration/gateway/test_loop.py::test_a_restarted_gateway_goes_on_with_the_same_memory",
        ),
    ),
    Promise(
        "One bad message neither stops nor delays other cars.",
        "it is put aside with its reason, alone, and in bounded time",
        commands=("fuzz",),
        switches=("fuzz no-size-limit", "fuzz trusting-decoder"),
        tests=(
            "integration/gateway/test_loop.py::test_one_bad_row_is_bisected_out_and_the_others_are_stored",
            "integration/gateway/test_watchdog.py::test_a_flood_of_poison_is_counted_not_kept_and_other_cars_go_on",
        ),
    ),
    Promise(
        "A car speaks for itself alone.",
        "account, topic and message name the same car; the broker keeps to it, and so does the gateway",
        commands=("guards",),
        switches=(
            "guards any-topic",
            "guards open-list",
        ),
        tests=(
            "integration/gateway/test_auth_callout.py::test_a_car_can_neither_speak_for_another_nor_listen_to_it_and_we_count_the_attempts",
            "integration/telltale/test_broker_config.py::test_a_car_speaks_for_itself_alone",
            "integration/gateway/test_strangers.py::test_a_broker_that_lets_nobodies_speak_is_refused_unless_that_is_known",
        ),
    ),
    Promise(
        "A window is given to one customer.",
        "a lock on bay, driver and loaner, and a constraint that no two times overlap",
        commands=("booking",),
        switches=("booking no-lock", "booking no-constraint", "booking check-then-insert"),
        tests=(
            "integration/dealer_api/test_rivals.py::test_of_fifty_answers_to_one_offer_exactly_one_wins",
            "integration/proofs/test_booking.py::test_no_time_is_given_away_twice_and_every_rival_is_answered",
        ),
    ),
    Promise(
        "Nothing falls between two tables: no car with us without a next step, no visit that ends without its owner "
        "being told, no promise broken in silence.",
        "whatever changes settles all that rests on it in one transaction; a random month plays everybody against "
        "everybody",
        commands=("month",),
        switches=(
            "month no-truth-check",
            "month no-release",
            "month silent-lateness",
            "month stranger-sale",
            "month drive-it-anyway",
            "month unwarned",
            "month away-and-driving",
            "month no-record",
            "month sold-in-words",
            "month wrong-forgotten",
            "month part-in-silence",
            "month no-limits",
            "month technician-away",
            "month mail-in-silence",
            "month finish-anyway",
            "month nobody-comes",
            "month place-anytime",
        ),
        tests=(
            "integration/proofs/test_month.py::test_two_days_in_which_everybody_does_what_people_do",
            "integration/workers/test_other_way.py::test_when_both_ways_fail_somebody_rings_once",
            "integration/workers/test_extra_work.py::test_whoever_does_not_answer_is_rung_and_whoever_asks_for_it_at_once",
        ),
    ),
    Promise(
        "A time is the one that the person saw, in each zone, on the days of the clock change too.",
        "one place turns walls into moments; hours that are skipped or come twice are not offered",
        commands=("guards",),
        switches=("guards hours-that-are-not",),
        tests=(
            "unit/rules/test_capacity.py::test_no_window_begins_in_an_hour_that_is_skipped_or_repeated",
            "unit/rules/test_permission.py::test_over_a_year_nobody_is_woken_and_nothing_waits_longer_than_it_must",
        ),
    ),
    Promise(
        "No text is lost, and none is sent twice where the provider can be asked.",
        "written with its cause, claimed, handed over, and asked after before it is sent again",
        commands=("messages", "operations"),
        switches=("messages send-then-mark", "messages mark-then-send", "operations no-lookup"),
        tests=(
            "integration/workers/test_sending.py::test_a_worker_that_dies_leaves_a_claim_that_another_takes_over",
            "acceptance/test_prove_messages.py::test_killed_workers_lose_nothing_send_nothing_twice_and_nothing_unwanted",
        ),
    ),
    Promise(
        "STOP belongs to a number and a dealer, and outlives import, correction and erasure.",
        "a keyed hash beside the rows, met by whoever writes an address down, and said of everybody reached there",
        commands=("stops", "replies"),
        switches=(
            "stops no-memory",
            "stops one-row",
            "stops not-heeded",
            "stops erased-forgets",
            "replies words-only",
        ),
        tests=(
            "integration/proofs/test_stops.py::test_no_history_brings_a_text_to_a_number_that_said_stop",
            "integration/workers/test_one_number_for_two.py::test_who_was_asked_answers_and_stop_counts_for_both",
        ),
    ),
    Promise(
        "Who says that the car is sold is asked about it no longer; who says that the number is wrong is never taken "
        "for its owner again.",
        "heard in sentences; the time with the car ends, or the number goes, with all that hangs on it in one "
        "transaction, and a keyed hash keeps a list from bringing it back",
        commands=("replies", "month"),
        switches=("replies verbs-anywhere", "month sold-in-words", "month wrong-forgotten"),
        tests=(
            "integration/workers/test_sold_and_wrong.py::test_a_car_sold_by_text_is_theirs_no_longer_with_all_that_hung_on_it",
            "integration/workers/test_sold_and_wrong.py::test_a_wrong_number_is_freed_and_no_list_brings_it_back",
        ),
    ),
    Promise(
        "No text without consent, after STOP, in quiet hours, or that is no longer true.",
        "asked again in the claim, at the last moment",
        commands=("messages", "operations"),
        switches=(
            "messages no-consent-recheck",
            "messages no-truth-check",
            "operations no-consent-recheck",
            "operations no-truth-check",
        ),
        tests=(
            "integration/workers/test_sending.py::test_stop_racing_with_a_hundred_texts_lets_none_through_after_it",
            "unit/rules/test_permission.py::test_nothing_goes_without_a_recorded_yes_to_its_purpose",
            "integration/workers/test_wording_when_it_leaves.py::test_an_offer_whose_time_has_passed_does_not_go",
        ),
    ),
    Promise(
        "A dealer sees their own customers only, also if our code is wrong.",
        "row security that is forced, one role for each service, rights that are walked",
        commands=("doors", "guards"),
        switches=("doors other-dealer", "doors every-role", "doors bug-for-refusal", "guards no-row-security"),
        tests=(
            "house/test_rights.py::test_every_table_forces_row_security_or_says_why_not",
            "integration/store/test_rights_are_watched.py::test_the_walk_finds_each_right_too_many",
            "integration/dealer_api/test_tenants.py::test_every_door_answers_for_a_foreign_thing_as_for_none",
            "integration/dealer_api/doors/test_matrix.py::test_everybody_gets_what_the_register_says_and_only_their_own",
            "integration/dealer_api/doors/test_walk.py::test_thousands_of_calls_find_no_bug_and_nothing_of_the_other_dealer",
        ),
    ),
    Promise(
        "Nothing of ours can command a car.",
        "the gateway's account at the broker may say acks, asks and alerts; there is no topic for more",
        commands=("guards",),
        switches=("guards gateway-says-all",),
        tests=(
            "integration/gateway/test_auth_callout.py::test_the_gateways_own_account_commands_no_car",
            "integration/telltale/test_broker_config.py::test_a_gateway_says_nothing_in_a_cars_name",
        ),
    ),
    Promise(
        "A link does nothing until a person presses.",
        "looking changes no row; a press counts once",
        commands=("guards",),
        switches=("guards looking-books",),
        tests=(
            "integration/dealer_api/owner/test_owner_link.py::test_fifty_previews_change_no_row_of_any_table",
            "integration/dealer_api/owner/test_owner_link.py::test_a_hundred_presses_make_one_booking",
        ),
    ),
    Promise(
        "Readings are kept for as many days as was said, and no log names a person.",
        "days are detached and dropped when every clock agrees; logs drop what is private",
        commands=("guards",),
        switches=(
            "guards one-clock",
            "guards loud-logs",
        ),
        tests=(
            "integration/gateway/test_retention.py::test_an_old_day_is_detached_then_dropped_a_day_later_and_not_while_somebody_reads_it",
            "acceptance/test_story_leaves_no_trace.py::test_neither_logs_nor_metrics_of_the_story_know_anybody",
        ),
    ),
    Promise(
        "Back in seconds after a crash, and from a backup or to a moment.",
        "services start anew from rows alone; backups are restored in a test",
        commands=("operations", "backlog --broker mosquitto", "backlog --broker embedded"),
        switches=("backlog stop-reading",),
        tests=(
            "integration/gateway/test_backlog.py::test_a_gateway_that_was_away_comes_back_to_24000_owed_messages",
            "integration/store/test_backup.py::test_what_is_restored_on_an_empty_server_equals_what_was_backed_up",
            "integration/store/test_point_in_time.py",
        ),
    ),
    Promise(
        "What turns dangerous within seconds is told within ten; a healthy car, and a sensor that breaks, never are.",
        "two samples or two signals say the same, a sensor at its end is doubted, and such a verdict waits for no hold",
        commands=("sudden",),
        switches=("sudden one-sample", "sudden with-hold", "sudden no-gates"),
        tests=(
            "unit/rules/test_sudden.py::test_it_is_told_within_ten_seconds_of_the_sample_that_shows_it_and_once",
            "unit/rules/test_sudden.py::test_a_sensor_at_its_end_stop_is_the_sensor_s",
            "unit/proofs/test_sudden_proof.py::test_it_is_green_and_without_each_guard_red",
        ),
    ),
    Promise(
        "Each proof turns red when its guard is taken out.",
        "switches take one guard out; a test holds this page to them",
        commands=("guards",),
        switches=(),
        tests=(
            "house/test_promises.py::test_every_switch_was_red_when_it_was_last_tried",
            "unit/proofs/test_operations.py::test_the_checker_sees_it",
        ),
    ),
)
_HEAD = """# What is promised, and how it is proved

Each promise, what keeps it, the command that tries to break it, the switches that take one guard out of it
(`--sabotage`: the proof must then be
red), the tests of it in `./test`, and how the command ended last. `telltale prove … --record` writes results down; this
page is
made by `python -m proofs.promises`.

| | we promise | because | `telltale prove` | `--sabotage` | tests | last result |
|---|---|---|---|---|---|---|
"""
_LIMITS = """
Not promised: that a broker keeps what it has acknowledged (a car without a spool relies on it); that a provider
delivers; that a replica is not late;
that the consent which a dealer enters was given.

## Switches

| command | last result |
|---|---|
"""


def switches(proof: str) -> Collection[str]:
    """What `telltale prove PROOF --sabotage` takes."""
    known: Collection[str] = importlib.import_module(f"proofs.{proof}").SWITCHES
    return known


def page() -> str:
    """The whole page."""
    known = results.read()
    lines = [_line(n, promise, known) for n, promise in enumerate(PROMISES, 1)]
    tried = [f"{proof} --sabotage {switch}" for proof in PROOFS for switch in switches(proof)]
    return (
        _HEAD + "".join(lines) + _LIMITS + "".join(f"| `{command}` | {_last(command, known)} |\n" for command in tried)
    )


def _line(n: int, promise: Promise, known: dict[str, results.Result]) -> str:
    cells = [
        str(n),
        promise.words,
        promise.because,
        _cell(f"`{command}`" for command in promise.commands),
        _cell(f"`{switch}`" for switch in promise.switches),
        _cell(_test(test) for test in promise.tests),
        _cell(f"`{command}` {_last(command, known)}" for command in promise.commands),
    ]
    return f"| {' | '.join(cells)} |\n"


def _cell(parts: Iterable[str]) -> str:
    return "<br>".join(parts)


def _test(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ') or file.rpartition('/')[2]}](../../tests/{file})"


def _last(command: str, known: dict[str, results.Result]) -> str:
    return str(known[command]) if command in known else "not recorded yet"


def write() -> None:
    """The page into the docs."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
