"""Settings, read from the environment once. README's table is tested against this class."""

import contextlib
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bank.core.ids import new_token

PROJECT = Path(__file__).parent.parent.parent


class Settings(BaseSettings):
    """Every setting of the bank; the description is the sentence in README."""

    model_config = SettingsConfigDict(env_prefix="BANK_", extra="ignore")

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
    smtp_port: int = Field(default=587, description="Port of the mail server.")
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
    smtp_timeout: float = Field(default=15.0, description="Seconds before a mail attempt gives up.")

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
            if len(given) < 32:
                raise ValueError("BANK_SECRET must have 32 characters or more")
            return given
        path = self.data_dir / ".secret"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            fresh = path.with_name(f".secret-{new_token()}")
            with os.fdopen(
                os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
            ) as file:
                file.write(new_token())
            with contextlib.suppress(FileExistsError):  # another process was first: use its key
                os.link(fresh, path)
            fresh.unlink()
        return path.read_text().strip()
