"""Which files begin first when several workers share the suite, and what the gates say at the end."""

from pathlib import Path

import pytest

SAID = "said"
# A file runs in one worker. What takes longest begins first, or one worker would still have it when all else is done.
FIRST = (
    "firmware/tests/cpython/test_on_micropython.py",
    "protocol/tests/test_gates.py",
    "tools/tests/test_demo.py",
    "edge/tests/test_down_on_micropython.py",
    "edge/tests/test_faults.py",
    "edge/tests/test_people_browser.py",
    "protocol/tests/test_model.py",
    "edge/tests/test_week.py",
    "edge/tests/test_run_browser.py",
    "tools/tests/test_flash_after_update.py",
    "tools/tests/test_verify_board.py",
    "tools/tests/test_provision_tls.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stable: within a file, and for all other files, the order stays."""
    place = {config.rootpath / path: number for number, path in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(Path(item.path), len(FIRST)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each gate that passed."""
    passed = terminalreporter.stats.get("passed", [])
    said = [value for report in passed for name, value in report.user_properties if name == SAID]
    if said:
        terminalreporter.section("gates")
    for line in said:
        terminalreporter.write_line(line)
