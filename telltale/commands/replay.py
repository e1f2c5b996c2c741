"""`telltale replay`: judge an evidence pack again, without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def replay(
    pack: Annotated[Path, typer.Argument(metavar="PACK", help="The file that the desk made on a case's page.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Fold the readings of an evidence pack and compare with what was committed: exit status 0 if each alert comes out
    the same, byte for byte, and the pack is as it was made; 1 if not; 3 if it holds too little to judge. Compare the
    SHA-256 with the one in the dealer's sealed history: that alone shows who made it."""
    facts = of(pack.read_text(encoding="utf-8", errors="replace"))
    cli.answer(facts, as_json)
    raise typer.Exit({True: 0, False: 1, None: 3}[facts["same_verdict"]])


def of(page: str) -> dict[str, Any]:
    """What is found in a pack."""
    from rules.catalogue import RULES
    from rules.engine import folding
    from rules.engine.code_book import CodeBook
    from rules.engine.judge import Judge
    from schemas.pack import opened, reading_of
    from telltale import data

    found, digest, stands = opened(page)
    profiles = data.profiles()
    judge = Judge(RULES, profiles, codes=CodeBook(data.trouble_codes()), stages=found.stages)
    known = found.profile in profiles
    steps = (
        list(folding.folded(judge, found.profile, [reading_of(row) for row in found.rows], found.taken_back))
        if known and not found.missing
        else []
    )
    alerts = []
    for one in found.alerts:
        was = [folding.compared(step) for step in one.steps]
        now = [
            folding.as_compared(step)
            for step in steps
            if (step.rule, step.component, step.episode) == (one.rule, one.component, one.episode)
            and was
            and step.place <= one.steps[-1]["place"]
        ]
        differs = folding.first_difference(was, now)
        same: bool | None = bool(was) and differs is None
        if not same and (unable := _unable(one.swept, found.missing, known)):
            same, differs = None, unable
        alerts.append(
            {
                "alert": one.alert,
                "rule": one.rule,
                "component": one.component,
                "rule_version": one.rule_version,
                "current_rule_version": judge.versions.get(one.rule),
                "same_verdict": same,
                "differs": differs,
            }
        )
    verdicts = [one["same_verdict"] for one in alerts]
    whole = None if not verdicts or None in verdicts else True
    return {
        "case": found.case,
        "vin": found.vin,
        "made_at": found.made_at,
        "rows_folded": len(found.rows) if steps or known else 0,
        "sha256": digest,
        "as_it_was_made": stands,
        "alerts": alerts,
        "same_verdict": False if False in verdicts or not stands else whole,
    }


def _unable(swept: bool, missing: str, known: bool) -> str:
    """Why there is no verdict, neither the same nor another; empty when there is one."""
    if swept:
        return "it rests on what a sweep of the house knew (silence, a recall), not on readings"
    return missing or ("" if known else "this release does not know the vehicle model")
