"""The command line: what its help lists, and how it says that the bank cannot be opened."""

import socket
from pathlib import Path

import pytest

from tests.house.test_readme import _commands
from tests.support.server import free_port, run_bank

pytestmark = pytest.mark.feature("A13.2")


def test_the_help_lists_every_command_with_a_sentence() -> None:
    told = run_bank("--help", env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    lines = [" ".join(line.strip(" │").split()) for line in told.stdout.splitlines()]
    commands = _commands()
    assert {"serve", "staff add", "branch add", "export journal"} <= commands
    for command in commands:
        [line] = [line for line in lines if line.startswith((f"{command} ", f"{command}:"))]
        assert line.endswith("."), line


@pytest.mark.parametrize("command", ["migrate", "verify", "serve", "demo"])
def test_a_database_that_is_not_there_is_told_in_a_sentence(tmp_path: Path, command: str) -> None:
    url = f"postgresql+psycopg://bank:hush@127.0.0.1:{free_port()}/bank"
    told = run_bank(command, env={"BANK_DATA_DIR": str(tmp_path), "BANK_DATABASE_URL": url})
    assert told.returncode == 1
    assert told.stderr.startswith("The bank cannot be opened: ")
    assert "BANK_DATABASE_URL" in told.stderr
    assert "Traceback" not in told.stderr
    assert "hush" not in told.stderr
    assert told.stdout == ""


def test_a_data_directory_that_is_a_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = run_bank("migrate", env={"BANK_DATA_DIR": str(tmp_path / "file")})
    assert told.returncode == 1
    assert "BANK_DATA_DIR" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_bank_whose_port_is_taken_does_not_say_that_it_is_open(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = run_bank("serve", env={"BANK_DATA_DIR": str(tmp_path), "BANK_PORT": port})
    assert told.returncode != 0
    assert "is open at" not in told.stderr
    assert "in use" in told.stderr
