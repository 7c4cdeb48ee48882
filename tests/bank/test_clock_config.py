"""Settings, the bank's secret and its day: what every process of one bank must agree on."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bank import app
from bank.__main__ import app as cli
from bank.book import ledger
from bank.book.tables import BankState
from bank.core import clock, keys
from bank.core.clock import FixedClock, SystemClock
from bank.core.config import PROJECT, Settings
from bank.core.desk import Bank, chunk
from bank.core.ids import new_request_id
from bank.core.secrets import Keyring
from tests.support.bank import staff
from tests.support.server import ROOT, bank_environment

MANY = 8
WAIT_SECONDS = 60
MIDNIGHT = datetime(2026, 3, 31, 18, 30, tzinfo=UTC)  # in India
BEFORE = datetime(2026, 3, 31, 18, 29, 59, 999_999, tzinfo=UTC)
LAST_OF_MARCH, FIRST_OF_APRIL = date(2026, 3, 31), date(2026, 4, 1)


@pytest.fixture
def _no_umask() -> Iterator[None]:
    """A process that would make files for everybody."""
    was = os.umask(0)
    yield
    os.umask(was)


def test_settings_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "BANK_DATA_DIR": str(tmp_path),
        "BANK_PORT": "9001",
        "BANK_DEMO": "false",
        "BANK_SMTP_TLS": "ssl",
        "BANK_SMTP_TIMEOUT": "2.5",
        "BANK_SMTP_PASSWORD": "hush",
        "PORT": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.data_dir == tmp_path
    assert (settings.port, settings.demo, settings.smtp_tls) == (9001, False, "ssl")
    assert settings.smtp_timeout == 2.5
    assert settings.smtp_password.get_secret_value() == "hush"
    assert "hush" not in repr(settings)
    assert settings.resolved_url() == f"sqlite:///{tmp_path / 'bank.db'}"
    monkeypatch.setenv("BANK_DATABASE_URL", "sqlite:///elsewhere.db")
    assert Settings().resolved_url() == "sqlite:///elsewhere.db"


def test_settings_have_defaults() -> None:
    settings = Settings()
    assert settings.resolved_url() == f"sqlite:///{PROJECT / 'data' / 'bank.db'}"
    assert (settings.port, settings.host, settings.demo) == (8501, "127.0.0.1", True)


@pytest.mark.feature("A13.2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BANK_PORT", "eighty"),
        ("BANK_PORT", "65536"),
        ("BANK_PORT", "0"),
        ("BANK_DEMO", "perhaps"),
        ("BANK_SMTP_TLS", "maybe"),
        ("BANK_SMTP_PORT", "25x"),
        ("BANK_SMTP_TIMEOUT", "soon"),
        ("BANK_SMTP_PORT", "0"),
        ("BANK_SMTP_PORT", "70000"),
        ("BANK_SMTP_TIMEOUT", "0"),
        ("BANK_SMTP_TIMEOUT", "nan"),
        ("BANK_SMTP_USER", "bank"),
        ("BANK_SMTP_FROM", ""),
        ("BANK_SMTP_FROM", "bänk@bank.example"),
        ("BANK_SMTP_HOST", "smtp://mail"),
        ("BANK_SMTP_CA_FILE", "/no/such/file.pem"),
        ("BANK_SMTP_CA_FILE", __file__),
        ("BANK_SECRET", "short"),
        ("BANK_DATABASE_URL", "mysql://bank"),
        ("BANK_DATABASE_URL", "bank.db"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_made(
    tmp_path: Path, name: str, value: str
) -> None:
    env = {"BANK_DATA_DIR": str(tmp_path / "new"), name: value}
    told = CliRunner().invoke(cli, ["migrate"], env=env)
    assert told.exit_code == 2
    assert name in told.stderr
    assert value not in told.stderr or name != "BANK_SECRET"
    assert told.stdout == ""
    assert not list(tmp_path.rglob(".secret*"))


def test_a_given_secret_is_used_and_never_written(tmp_path: Path) -> None:
    secret = "x" * 32
    settings = Settings(data_dir=tmp_path, secret=SecretStr(secret))
    assert settings.resolved_secret() == secret
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="BANK_SECRET must have 32 characters"):
        Settings(data_dir=tmp_path, secret=SecretStr(secret[1:])).resolved_secret()


@pytest.mark.feature("A1.14")
@pytest.mark.parametrize("left", ["", "\n", "half a key"])
def test_a_secret_file_that_lost_its_key_is_not_used(tmp_path: Path, left: str) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.resolved_secret()
    (tmp_path / ".secret").write_text(left)
    with pytest.raises(ValueError, match=r"\.secret holds no key"):
        settings.resolved_secret()


@pytest.mark.feature("A1.14")
def test_another_key_than_the_banks_own_is_noticed_at_the_start(tmp_path: Path) -> None:
    env = {"BANK_DATA_DIR": str(tmp_path), "BANK_DEMO": "false"}
    runner = CliRunner()
    assert runner.invoke(cli, ["migrate"], env=env).exit_code == 0
    changed = {"BANK_SECRET": "another key of thirty-two characters"}
    for command in ("migrate", "verify", "serve"):
        told = runner.invoke(cli, [command], env=env | changed)
        assert told.exit_code == 2, told.output
        assert "made with another key" in told.stderr
        assert "BANK_SECRET" in told.stderr
    given = {"BANK_SECRET": (tmp_path / ".secret").read_text()}
    assert runner.invoke(cli, ["migrate"], env=env | given).exit_code == 0
    assert runner.invoke(cli, ["migrate"], env=env).exit_code == 0


@pytest.mark.feature("A1.14")
def test_two_first_starts_agree_on_the_key(bank: Bank) -> None:
    for _ in range(2):
        keys.check(app.system_desk(bank))
    other = replace(bank, keyring=Keyring("another key of thirty-two characters"))
    with pytest.raises(keys.AnotherKey):
        keys.check(app.system_desk(other))


@pytest.mark.feature("A1.14")
@pytest.mark.usefixtures("_no_umask")
def test_the_banks_files_are_for_its_own_system_user(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    settings = Settings(data_dir=folder, demo=False)
    for _ in range(2):
        bank = app.open_bank(settings)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {".secret", "bank.db", "bank.db-wal"} <= set(modes)
        assert set(modes.values()) == {0o600}
        bank.db.close()
        folder.chmod(0o755)  # an older bank, open to everybody
        (folder / "bank.db").chmod(0o644)


def test_a_place_for_everybody_is_left_to_everybody(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    Settings(data_dir=tmp_path).make_data_dir()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def _one_secret_file(folder: Path, answers: list[str]) -> None:
    """Everybody has the same secret, which only its owner may read, and no draft is left."""
    assert len(answers) == MANY
    assert len(set(answers)) == 1
    (path,) = folder.iterdir()
    assert path.name == ".secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() == answers[0]
    assert len(answers[0]) >= 32


@pytest.mark.usefixtures("_no_umask")
def test_eight_threads_make_one_secret(tmp_path: Path) -> None:
    start = threading.Barrier(MANY)
    folder = tmp_path / "data"

    def ask() -> str:
        start.wait(WAIT_SECONDS)
        return Settings(data_dir=folder).resolved_secret()

    with ThreadPoolExecutor(MANY) as pool:
        asked = [pool.submit(ask) for _ in range(MANY)]
        answers = [each.result(WAIT_SECONDS) for each in asked]
    _one_secret_file(folder, answers)
    assert Settings(data_dir=folder).resolved_secret() == answers[0]
    assert Settings(data_dir=tmp_path / "other").resolved_secret() != answers[0]


@pytest.mark.usefixtures("_no_umask")
def test_eight_processes_make_one_secret(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    program = (
        "from bank.core.config import Settings\n"
        "print('ready', flush=True)\n"
        "input()\n"
        "print(Settings().resolved_secret())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=bank_environment(BANK_DATA_DIR=str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(MANY)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:  # all are loaded: now, at once
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=WAIT_SECONDS)[0].strip() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    _one_secret_file(folder, answers)


def _machine_says(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    class Machine(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            assert tz is not None, "the machine's own zone is nobody's business"
            return instant.astimezone(tz)

    monkeypatch.setattr(clock, "datetime", Machine)


@pytest.mark.parametrize(
    ("instant", "day"), [(BEFORE, LAST_OF_MARCH), (MIDNIGHT, FIRST_OF_APRIL)], ids=["31st", "1st"]
)
def test_the_business_date_is_the_day_in_india(
    monkeypatch: pytest.MonkeyPatch, instant: datetime, day: date
) -> None:
    _machine_says(monkeypatch, instant)
    assert SystemClock().business_date() == day
    assert SystemClock().now() == instant
    assert SystemClock().now().tzinfo is UTC
    assert FixedClock(instant).business_date() == day
    assert clock.in_india(instant).date() == day
    assert clock.in_india(instant.replace(tzinfo=None)).date() == day


def test_a_set_business_date_wins_over_the_calendar(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    _machine_says(monkeypatch, MIDNIGHT)
    free = app.open_bank(staff(bank).settings)
    assert free.clock.business_date() == FIRST_OF_APRIL
    with chunk(app.system_desk(free), "tests.arrange") as tx:
        tx.session.merge(BankState(id=1, is_demo=False, business_date=date(2026, 2, 27)))
        account = ledger.open_balance(tx, gl_code="2000", branch_id=1, currency="INR")
    free.db.close()
    reopened = app.open_bank(bank.settings)
    try:
        assert reopened.clock.business_date() == date(2026, 2, 27)
        assert reopened.clock.now() == MIDNIGHT  # the day is set, the time is what it is
        with chunk(app.system_desk(reopened), "tests.book") as tx:
            legs = (ledger.credit_account(account, 5), ledger.debit_gl("3000", 5, 1))
            draft = ledger.Draft(new_request_id(), "opening", "Opening", legs, 1, "INR")
            posted = ledger.post(tx, draft)
        assert (posted.booking_date, posted.booked_at) == (date(2026, 2, 27), MIDNIGHT)
    finally:
        reopened.db.close()
