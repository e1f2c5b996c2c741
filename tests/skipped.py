"""What was skipped is said at the end, with the reason; with `--all` it is a failure.

So is what a test wants shown: record_property("shown", …).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pytest

Skipped = dict[str, list[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="a test that is skipped is a failure")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Ending(config.getoption("--all")), "ending")


def by_reason(reports: Iterable[object]) -> Skipped:
    """The files of the tests that were skipped, one entry a test, by reason; the most frequent reason first."""
    found: Skipped = defaultdict(list)
    for report in reports:
        if isinstance(report, pytest.TestReport | pytest.CollectReport) and isinstance(report.longrepr, tuple):
            found[report.longrepr[2].removeprefix("Skipped: ")].append(report.nodeid.partition("::")[0])
    return dict(sorted(found.items(), key=lambda one: -len(one[1])))


class Ending:
    """Of the process that people see: workers skip, it tells."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        shown = session.config.pluginmanager.get_plugin("terminalreporter")
        if (
            self.strict
            and shown is not None
            and shown.stats.get("skipped")
            and session.exitstatus == pytest.ExitCode.OK
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for report in terminalreporter.stats.get("passed", ()):
            for name, value in report.user_properties if report.when == "call" else ():
                if name == "shown":
                    terminalreporter.line(f"{report.nodeid.rpartition('/')[2].partition('.py')[0]}: {value}")
        skipped = by_reason(terminalreporter.stats.get("skipped", ()))
        if not skipped:
            return
        count = sum(map(len, skipped.values()))
        terminalreporter.section(
            f"{count} skipped" + (": with --all none may be" if self.strict else ""),
            red=self.strict,
            yellow=not self.strict,
        )
        for reason, files in skipped.items():
            terminalreporter.line(f"{len(files)}  {reason}")
            terminalreporter.line(f"     {' '.join(dict.fromkeys(files))}")
