"""One cell of the traction battery falls behind the pack."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.cell_balance import cell_words, gap_mv
from rules.detectors.sudden import Also
from rules.detectors.sudden_looks import CellCollapse
from rules.detectors.usage_pattern import Habitual
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import PACK, OfProfile

RULE = Rule(
    name="ev_cell",
    version=3,
    title="Weak cell in the traction battery",
    needs=(f"{PACK}.CellVoltage.Min", (f"{PACK}.CellVoltage.Median", f"{PACK}.CellVoltage.Max")),
    watch=Watch(ages={f"{PACK}.CellVoltage.Median": 5.0}),
    hold=timedelta(minutes=30),
    settle=timedelta(hours=24),
    judge=Also(
        Habitual(
            f"{PACK}.CellVoltage.Min",
            way=1,
            now=120,
            soon=OfProfile("cell_gap_mv", 28),
            clear=OfProfile("cell_gap_mv", 28, 0.65),
            unit="mV",
            measure=gap_mv,
            reads=(
                f"{PACK}.CellVoltage.Median",
                f"{PACK}.CurrentCurrent",
                f"{PACK}.StateOfCharge.Current",
                f"{PACK}.CellVoltage.IdMin",
            ),
            least=6,
            grows=True,
            what="gap to the others",
            who=cell_words,
        ),
        CellCollapse(),
    ),
    proof=Proof(path=f"{PACK}.CellVoltage.Min", low=3.3, readings=10),
    drives=("electric",),
    group="pack",
)
