"""Settings, read from the environment once. README's table is tested against this class."""

import contextlib
import os
import re
import ssl
import stat
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bank.core.ids import new_token

PROJECT = Path(__file__).parent.parent.parent
SHORTEST_SECRET: Final = 32
ADDRESS: Final = re.compile(r"[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
HOST: Final = re.compile(r"[A-Za-z0-9._:-]+")


class Settings(BaseSettings):
    """Every setting of the bank; the description is the sentence in README."""

    model_config = SettingsConfigDict(env_prefix="BANK_", extra="ignore", hide_input_in_errors=True)

    data_dir: Path = Field(
        default=PROJECT / "data",
        description="Where the database, documents, snapshots and published roots are kept.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy URL: sqlite:///file or postgresql+psycopg://... ; "
        "empty means bank.db in the data directory.",
    )
    port: int = Field(default=8501, ge=1, le=65_535, description="Port that `serve` listens on.")
    host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    public_url: str = Field(
        default="",
        description="Address at which people reach the bank, for links in mails; "
        "empty means http://BANK_HOST:BANK_PORT.",
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Key for codes, tickets and TOTP keys at rest, 32 characters or more; "
        "empty means one is made once and kept in the data directory.",
    )
    demo: bool = Field(
        default=True,
        description="Whether `make run` fills an empty database with the demo bank (true, false).",
    )
    smtp_host: str = Field(default="", description="Mail server; empty means mails wait.")
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Port of the mail server.")
    smtp_tls: Literal["starttls", "ssl", "none"] = Field(
        default="starttls",
        description="starttls, ssl or none. Certificates are verified.",
    )
    smtp_ca_file: str = Field(
        default="", description="CA certificates for the mail server; empty means the system's."
    )
    smtp_user: str = Field(default="", description="Sender and log-in, as a full address.")
    smtp_password: SecretStr = Field(
        default=SecretStr(""), description="Password (an app password where two-step is on)."
    )
    smtp_from: str = Field(
        default="bank@bank.example", description="Sender when the server needs no log-in."
    )
    smtp_timeout: float = Field(
        default=15.0, gt=0, le=600, description="Seconds before a mail attempt gives up."
    )

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"BANK_SECRET must have {SHORTEST_SECRET} characters or more")
        return secret

    @field_validator("smtp_user", "smtp_from")
    @classmethod
    def _full_address(cls, address: str, info: ValidationInfo) -> str:
        if not ADDRESS.fullmatch(address) and (address or info.field_name == "smtp_from"):
            raise ValueError("give the full mail address, like bank@bank.example")
        return address

    @field_validator("smtp_host")
    @classmethod
    def _host_alone(cls, host: str) -> str:
        if host and not HOST.fullmatch(host):
            raise ValueError("give the server's name or address alone, like mail.bank.example")
        return host

    @field_validator("smtp_ca_file")
    @classmethod
    def _certificates(cls, file: str) -> str:
        try:
            if file:  # the machine's own certificates take long to read and need no check
                ssl.create_default_context(cafile=file)
        except OSError as error:
            raise ValueError(f"no certificates can be read from it: {error}") from None
        return file

    def resolved_url(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'bank.db'}"

    def address(self) -> str:
        """The address of the front door, without a slash at its end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    def resolved_secret(self) -> str:
        """BANK_SECRET, or the one kept in the data directory (made on first use, mode 0600)."""
        given = self.secret.get_secret_value()
        if given:
            return given
        path = self.data_dir / ".secret"
        self.make_data_dir()
        if not path.exists():
            fresh = path.with_name(f".secret-{new_token()}")
            with os.fdopen(
                os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
            ) as file:
                file.write(new_token())
                file.flush()
                os.fsync(file.fileno())  # a key that a power cut empties would shut everybody out
            with contextlib.suppress(FileExistsError):  # another process was first: use its key
                os.link(fresh, path)
            fresh.unlink()
            sync_folder(self.data_dir)
        kept = path.read_text().strip()
        if len(kept) < SHORTEST_SECRET:
            raise ValueError(
                f"{path} holds no key of {SHORTEST_SECRET} characters or more. Put back the one it "
                "had (from a backup), or set BANK_SECRET to it."
            )
        return kept

    def make_data_dir(self) -> None:
        """The data directory, which is for the bank's own system user alone."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_private(self.data_dir, 0o700)


def make_private(path: Path, mode: int) -> None:
    """Take a file or folder of ours away from everybody else."""
    found = path.stat()
    is_shared = found.st_mode & stat.S_ISVTX  # a place like /tmp is not ours to shut
    if found.st_uid == os.geteuid() and not is_shared and found.st_mode & 0o077:
        path.chmod(mode)


def sync_folder(folder: Path) -> None:
    """What was made in this folder is still there after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
