"""Mail: one letter to one address, handed to the bank's mail server. The only user of yagmail.

yagmail opens, secures and logs in to the connection. The letter itself is made by the standard
library: yagmail would attach a file whose name happens to be the text, put the text into HTML as it
is, and answer a dropped connection by sleeping for eighteen seconds.
"""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from types import TracebackType
from typing import Final, Self

import yagmail
from yagmail.error import YagAddressError, YagInvalidEmailAddress

from bank.core.config import Settings

PERMANENT: Final = 500  # answers from here on are final (RFC 5321, 4.2.1)


class NotDelivered(Exception):
    """Why a letter was not taken. The text is for the outbox and the log.

    `is_final`: this letter will never be taken. `is_ours`: nothing would be, because the server
    does not answer, is not who it should be, or does not know us.
    """

    def __init__(self, reason: str, *, is_final: bool = False, is_ours: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final
        self.is_ours = is_ours


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A plain-text mail. `key` makes its Message-ID, the same one each time it is sent."""

    to: str
    subject: str
    body: str
    key: str


class Postman:
    """A connection to the mail server that the settings name, opened for the first letter."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender = settings.smtp_user or settings.smtp_from
        self._client: yagmail.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()

    def deliver(self, letter: Letter) -> None:
        """Hand over one letter, or raise NotDelivered."""
        server = self._connected()
        try:
            refused = server.send_message(self._written(letter), self._sender, [letter.to])
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except smtplib.SMTPDataError as error:
            raise NotDelivered(
                _said(error.smtp_code, error.smtp_error), is_final=error.smtp_code >= PERMANENT
            ) from None
        except smtplib.SMTPSenderRefused as error:
            self._hang_up()
            raise NotDelivered(
                f"sender refused: {_said(error.smtp_code, error.smtp_error)}", is_ours=True
            ) from None
        except ValueError as error:  # nothing that could be put on the wire
            raise NotDelivered(f"letter not usable: {error}", is_final=True) from None
        except OSError as error:  # dropped, or silent for too long
            self._hang_up()
            raise NotDelivered(f"connection lost: {error}") from None
        if refused:
            code, words = refused[letter.to]
            raise NotDelivered(_said(code, words), is_final=code >= PERMANENT)

    def _connected(self) -> smtplib.SMTP:
        if self._client is None:
            client = self._prepared()
            try:
                client.login()
            except (OSError, ValueError) as error:  # smtplib's and those of TLS are OSErrors
                _close(client)
                raise NotDelivered(f"mail server not usable: {error}", is_ours=True) from None
            self._client = client
        server: smtplib.SMTP = self._client.smtp
        return server

    def _prepared(self) -> yagmail.SMTP:
        settings, is_ssl = self._settings, self._settings.smtp_tls == "ssl"
        try:
            # An own context, because without one neither TLS nor STARTTLS verifies anything.
            trust = ssl.create_default_context(cafile=settings.smtp_ca_file or None)
            return yagmail.SMTP(
                user=self._sender,
                password=settings.smtp_password.get_secret_value(),
                host=settings.smtp_host,
                port=settings.smtp_port,
                smtp_ssl=is_ssl,
                smtp_starttls={"context": trust} if settings.smtp_tls == "starttls" else False,
                smtp_skip_login=not settings.smtp_user,
                timeout=settings.smtp_timeout,
                **({"context": trust} if is_ssl else {}),
            )
        except (OSError, ValueError, YagAddressError, YagInvalidEmailAddress) as error:
            raise NotDelivered(f"mail settings not usable: {error}", is_ours=True) from None

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            _close(client)

    def _written(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = (
            self._sender,
            letter.to,
            letter.subject,
        )
        message["Message-ID"] = f"<{letter.key}@{self._sender.rpartition('@')[2]}>"
        message["Date"] = format_datetime(localtime())
        message["Auto-Submitted"] = "auto-generated"  # so that no holiday notice answers
        message.set_content(letter.body)
        return message


def _close(client: yagmail.SMTP) -> None:
    """Say good-bye if anybody listens, and close the socket in any case."""
    client.is_closed = True  # else yagmail does it again when the object is collected
    if client.smtp is None:
        return
    try:
        client.smtp.quit()
    except OSError:
        client.smtp.close()


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {text}"
