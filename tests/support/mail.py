"""A real mail server on a loopback port: keeps what it is sent, and misbehaves on demand."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST: Final = "127.0.0.1"
CLOSE_WITHOUT_A_WORD: Final = "421 closing"

Tls = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True)
class Certificate:
    """A throw-away certificate for 127.0.0.1 and localhost; a client that verifies trusts `pem`."""

    pem: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificate":
        """Write a new self-signed certificate into `folder`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of the tests")])
        names: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            x509.IPAddress(ip_address(HOST)),
        ]
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        made = cls(pem=folder / "mail.pem", key=folder / "mail.key")
        made.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made

    def server_context(self) -> ssl.SSLContext:
        """What the server shows its clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem, self.key)
        return context


@dataclass
class Mailbox:
    """A running mail server and everything it accepted.

    The misbehaviours are plain attributes, to be changed between two messages:

    refused     addresses answered with 550 at RCPT (add one to refuse part of a list)
    answer      what DATA is answered instead of 250, e.g. "451 try later"; the message is not kept
    drops       how many of the next messages lose their connection in the middle of DATA
    frozen      True: DATA is never answered, until the client gives up
    """

    certificate: Certificate | None = None
    tls: Tls = "none"
    login: tuple[str, str] | None = None
    refused: set[str] = field(default_factory=set)
    answer: str | None = None
    drops: int = 0
    frozen: bool = False

    def __post_init__(self) -> None:
        self._arrival = threading.Condition()
        self._messages: list[EmailMessage] = []
        self._attempts = 0
        self._controller = _Controller(_Handler(self), hostname=HOST, port=0, **self._options())

    @property
    def host(self) -> str:
        """The loopback address it listens on."""
        return HOST

    @property
    def port(self) -> int:
        """The port the system gave it."""
        return self._controller.port

    @property
    def messages(self) -> list[EmailMessage]:
        """Everything accepted so far, oldest first.

        The envelope is in the headers X-Mail-From and X-Rcpt-To; the login in X-Login.
        """
        with self._arrival:
            return list(self._messages)

    @property
    def attempts(self) -> int:
        """How many messages reached DATA, accepted or not."""
        with self._arrival:
            return self._attempts

    def start(self) -> "Mailbox":
        """Listen; the port is known afterwards."""
        self._controller.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection."""
        self._controller.stop(no_assert=True)

    def clear(self) -> None:
        """Forget the messages."""
        with self._arrival:
            self._messages.clear()

    def wait_for(
        self,
        count: int = 1,
        *,
        to: str | None = None,
        subject: str | None = None,
        timeout: float = 10.0,
    ) -> list[EmailMessage]:
        """At least `count` messages to one address and with these words in the subject."""

        def matching() -> list[EmailMessage]:
            return [
                message
                for message in self._messages
                if (to is None or to in str(message["X-Rcpt-To"]).split(", "))
                and (subject is None or subject in str(message["Subject"]))
            ]

        with self._arrival:
            if not self._arrival.wait_for(lambda: len(matching()) >= count, timeout):
                seen = [f"{m['X-Rcpt-To']}: {m['Subject']}" for m in self._messages]
                raise TimeoutError(
                    f"waited {timeout:g} s for {count} mail(s), {to=}, {subject=}; has {seen}"
                )
            return matching()

    def wait_for_one(
        self, *, to: str | None = None, subject: str | None = None, timeout: float = 10.0
    ) -> EmailMessage:
        """The newest message to one address and with these words in the subject."""
        return self.wait_for(1, to=to, subject=subject, timeout=timeout)[-1]

    def wait_for_attempts(self, count: int, timeout: float = 10.0) -> None:
        """Wait until `count` messages reached DATA, whatever became of them."""
        with self._arrival:
            if not self._arrival.wait_for(lambda: self._attempts >= count, timeout):
                raise TimeoutError(f"waited {timeout:g} s for {count} tries, saw {self._attempts}")

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self.tls != "none":
            if self.certificate is None:
                raise ValueError("TLS needs a certificate")
            context = self.certificate.server_context()
            if self.tls == "starttls":
                options |= {"tls_context": context, "require_starttls": True}
            else:
                options |= {"ssl_context": context}
        if self.login is not None:
            # Over implicit TLS aiosmtpd does not know that the line is safe already.
            options |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": self.tls == "starttls",
            }
        return options

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and self.login == (
            data.login.decode(),
            data.password.decode(),
        )
        return AuthResult(success=good, handled=False, auth_data=data if good else None)

    def _tried(self) -> None:
        with self._arrival:
            self._attempts += 1
            self._arrival.notify_all()

    def _keep(self, session: Session, envelope: Envelope) -> None:
        content = envelope.original_content
        assert content is not None
        message = message_from_bytes(content, policy=policy.default)
        message["X-Mail-From"] = envelope.mail_from or ""
        message["X-Rcpt-To"] = ", ".join(envelope.rcpt_tos)
        if isinstance(session.auth_data, LoginPassword):
            message["X-Login"] = session.auth_data.login.decode()
        with self._arrival:
            self._messages.append(message)
            self._arrival.notify_all()


class _Controller(Controller):
    """A controller that lets the system choose the port, so that no two runs want the same one."""

    def _trigger_server(self) -> None:
        self.port = cast(Any, self.server).sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class _Handler:
    """What aiosmtpd calls, in the server's own thread."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if address in self._mailbox.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mailbox = self._mailbox
        mailbox._tried()
        if mailbox.drops > 0:
            mailbox.drops -= 1
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]
            return CLOSE_WITHOUT_A_WORD
        if mailbox.frozen:
            await server.loop.create_future()  # cancelled when the server stops
        if mailbox.answer is not None:
            return mailbox.answer
        mailbox._keep(session, envelope)
        return "250 kept"


@pytest.fixture(scope="session")
def mail_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the mail servers of this run."""
    return Certificate.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def open_mailbox(mail_certificate: Certificate) -> Iterator[Callable[..., Mailbox]]:
    """Start mail servers: open_mailbox(tls="starttls", login=("user", "password"))."""
    with ExitStack() as stack:

        def start(*, tls: Tls = "none", login: tuple[str, str] | None = None) -> Mailbox:
            mailbox = Mailbox(certificate=mail_certificate, tls=tls, login=login).start()
            stack.callback(mailbox.stop)
            return mailbox

        yield start


@pytest.fixture
def mailbox(open_mailbox: Callable[..., Mailbox]) -> Mailbox:
    """A mail server without TLS and login, as on a loopback relay."""
    return open_mailbox()
