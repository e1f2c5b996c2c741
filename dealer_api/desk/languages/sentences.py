"""Which values of the templates are sentences of ours, as the templates call them. Everything else belongs to somebody:
an owner, a car, a colleague, and is never looked up.
"""

from __future__ import annotations

_EVERYWHERE = """
    problem step.title step.why step.label other.label move.label move.ask move.button alert.title alert.because
    warned.words row.warned.words row.because row.step.label row.case.title file.case.title case.title
    open_case.title one.because one.broken record.proof said.odd witness.odd one.witness.odd leg.stays leg.late
    towed.because note[1] chart.caption chart.title line.label line.unit limit.label limit.value trial.title
    trial.stage trial.why row.what row.find.because row.outcome because car.row.alerts work.title part.name
    parts.names fresh[0] fresh[1] fresh[2] fresh[3] signal.title chosen.title span_title unit[0] code.words
    code.status group.title block.look healed line.what line.move line.who one.what one.who one.whom change.what
    change.why change.who following[1] guest.words word.label one.why one.device one.place one.proof record.proof
    groups[] group.heading titles.get() proposal.ring proposal.waits row.detail row.subject beside.writing refusal
    reasons
    """
_OF_PAGES = {
    "audit.html": "title line.row.change.reason",
    "case.html": "title proof line name value",
    "evidence.html": "step.because name value pack.missing",
    "import.html": "text line.reason line.field",
    "inbox.html": "title titles[]",
    "inbox_thread.html": "title",
    "numbers.html": "title groups[] one.stop.title one.stop.who one.title one.hint text",
    "numbers_cases.html": "title row.title",
    "new_car.html": "called",
    "offer.html": "ways title",
    "problem.html": "problem.title problem.detail",
    "queue.html": "title",
    "quick_replies.html": "means",
    "search.html": "one.title text",
    "settings.html": "one.title one.hint one.unit thing about what name",
    "sheet.html": "car.row.title title date_words",
    "staff.html": "title",
    "today.html": "title date_words name",
    "trials.html": "row.what",
    "vehicle.html": "title row.title row.value row.age one.title one.words profile value ?[0]",
    "vehicles.html": "title",
    "week.html": "title name",
    "workshop.html": "title car.row.title name",
    "quarantine.html": "word ?[0] row.title",
    "owner.html": "title",
    "_units.html": "title one.title one.words",
    "person.html": "title",
    "_macros.html": "what",
    "_extra.html": "",
    "another_time.html": "",
    "authenticator.html": "",
}
SENTENCES = frozenset(_EVERYWHERE.split())


def sentences_of(template: str | None) -> frozenset[str]:
    """Those of one template."""
    return SENTENCES | frozenset(_OF_PAGES.get(template or "", "").split())
