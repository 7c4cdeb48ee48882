"""`python -m bank staff add`: alone for the first employee, with a second person from then on."""

from pathlib import Path

import pytest

from tests.support.server import run_bank

pytestmark = pytest.mark.feature("B4")


def test_the_first_employee_needs_nobody_and_the_second_does(tmp_path: Path) -> None:
    env = {"BANK_DATA_DIR": str(tmp_path / "data")}

    def add(username: str) -> str:
        done = run_bank(
            *("staff", "add", "--role", "super_admin", "--username", username),
            *("--name", "Head Office", "--email", f"{username}@bank.example"),
            env=env,
        )
        assert done.returncode == 0, done.stderr
        assert "Temporary password (shown once): " in done.stdout
        return done.stdout

    assert "Waits" not in add("head")
    assert "Waits for approval by Head Office (approval 1)." in add("chief")
    again = run_bank(
        *("staff", "add", "--role", "super_admin", "--username", "chief"),
        *("--name", "Head Office", "--email", "chief@bank.example"),
        env=env,
    )
    assert again.returncode == 1
    assert "Waits for approval by Head Office (approval 1)." in again.stderr
    assert "password" not in again.stdout
