"""`telltale import-readings` as in service, or with one guard taken out. No production code knows that it is being
tested.

python -m proofs.imports_under SWITCH import-readings FILE --mapping MAPPING --json
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from gateway.imports.importer import Importer
from proofs.swap import swap
from store import readings_imports
from telltale.__main__ import main


def no_cursor() -> None:
    """How far the file has come is not written with its rows, but before them, as whoever keeps it in a file beside
    does.
    """
    save = Importer._save

    async def ahead(self: Importer, batch: Any) -> None:
        await self.writer.write(partial(readings_imports.advance, to=batch.progress))
        await save(self, batch)

    swap(Importer, "_save", ahead)


if __name__ == "__main__":
    if sys.argv.pop(1) == "no-cursor":
        no_cursor()
    sys.exit(main())
