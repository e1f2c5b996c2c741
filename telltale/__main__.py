"""`python -m telltale`: errors become one clear line and an exit status, nothing else."""

from __future__ import annotations

import sys

from schemas.errors import Overtaken, TelltaleError, Unavailable

TRY_AGAIN = 75  # EX_TEMPFAIL: a supervisor starts us again


def main() -> int:
    """0 done, 1 what was checked does not hold or a fault of ours, 2 misconfigured or misused, 75 try again, 130
    interrupted.
    """
    from telltale.cli import app

    if len(sys.argv) == 1:
        sys.argv.append("demo")
    elif sys.argv[1] in ("help", "-h"):
        sys.argv[1] = "--help"
    try:
        status = app(standalone_mode=False)
    except TelltaleError as error:
        sys.stderr.write(f"telltale: {' '.join(str(error).split())}\n")
        return TRY_AGAIN if isinstance(error, Unavailable | Overtaken) else 2
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # click's own errors know how to show themselves
        if not hasattr(error, "exit_code"):
            raise
        if hasattr(error, "show"):
            error.show()
        return int(error.exit_code)
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
