"""The outbox and a real mail server: verified TLS, log-in, refusals, and bad connections."""

import logging
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from bank.core import outbox
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.outbox import Message, MessageStatus, queue_mail
from bank.core.permissions import Role
from tests.support import people
from tests.support.bank import desk
from tests.support.mail import Certificate, Mailbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.feature("A13.3")
OpenMailbox = Callable[..., Mailbox]


def by(bank: Bank, mailbox: Mailbox, **settings: Any) -> Desk:
    """The desk that delivers through this server."""
    given: dict[str, Any] = {
        "smtp_host": mailbox.host,
        "smtp_port": mailbox.port,
        "smtp_tls": "none",
        "smtp_timeout": 5.0,
    }
    changed = bank.settings.model_copy(update=given | settings)
    return desk(replace(bank, settings=changed), Role.SYSTEM)


def queue(bank: Bank, to: str = "asha@example.com", body: str = "Paid in.\n") -> int:
    with chunk(desk(bank, Role.SYSTEM), "test.write") as tx:
        return queue_mail(tx, to, "Receipt ₹", body, "test")


def row(bank: Bank, message_id: int) -> Message:
    with looking(desk(bank, Role.SYSTEM)) as tx:
        found = tx.session.scalars(select(Message).where(Message.id == message_id)).one()
        tx.session.expunge(found)
        return found


def state(bank: Bank, message_id: int) -> tuple[MessageStatus, int]:
    message = row(bank, message_id)
    return message.status, message.attempts


WAITS = MessageStatus.WAITING
SENT = (MessageStatus.SENT, 1)


def test_a_letter_arrives_as_it_was_written(bank: Bank, mailbox: Mailbox) -> None:
    body = "Hello आशा,\n\n₹ 500.00 were paid in.\n\n.\n<b>not bold</b> & <script>x</script>\n"
    key = queue(bank, body=body)
    assert outbox.deliver_waiting(by(bank, mailbox, smtp_from="desk@bank.example")) == 1
    [letter] = mailbox.messages
    assert letter["Subject"] == "Receipt ₹"
    assert (letter["X-Mail-From"], letter["X-Rcpt-To"]) == ("desk@bank.example", "asha@example.com")
    assert (letter["From"], letter["To"]) == ("desk@bank.example", "asha@example.com")
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().replace("\r\n", "\n") == body
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"]
    assert letter["Message-ID"].endswith(f".{key}@bank.example>")
    assert state(bank, key) == SENT


def test_a_text_that_names_a_file_is_not_replaced_by_it(
    sqlite_bank: Bank, mailbox: Mailbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the bank's key")
    queue(sqlite_bank, body=str(secret))
    outbox.deliver_waiting(by(sqlite_bank, mailbox))
    [letter] = mailbox.messages
    assert "the bank's key" not in str(letter)
    assert str(secret) in letter.get_content()


def test_many_letters_use_one_connection(
    sqlite_bank: Bank, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = smtplib.SMTP.connect

    def counted(self: smtplib.SMTP, *args: Any, **named: Any) -> Any:
        opened.append(args)
        return real(self, *args, **named)

    monkeypatch.setattr(smtplib.SMTP, "connect", counted)
    for index in range(5):
        queue(sqlite_bank, f"customer{index}@example.com")
    assert outbox.deliver_waiting(by(sqlite_bank, mailbox)) == 5
    assert len(opened) == 1
    assert len({letter["Message-ID"] for letter in mailbox.messages}) == 5


# TLS and log-in.


@pytest.mark.parametrize(("tls", "setting"), [("starttls", "starttls"), ("implicit", "ssl")])
def test_a_server_that_is_known_gets_the_log_in_and_the_letter(
    sqlite_bank: Bank,
    open_mailbox: OpenMailbox,
    mail_certificate: Certificate,
    tls: str,
    setting: str,
) -> None:
    mailbox = open_mailbox(tls=tls, login=("post@bank.example", "app password"))
    queue(sqlite_bank)
    by_this = by(
        sqlite_bank,
        mailbox,
        smtp_tls=setting,
        smtp_ca_file=str(mail_certificate.pem),
        smtp_user="post@bank.example",
        smtp_password=SecretStr("app password"),
    )
    assert outbox.deliver_waiting(by_this) == 1
    [letter] = mailbox.messages
    assert (letter["X-Login"], letter["From"]) == ("post@bank.example", "post@bank.example")


@pytest.mark.parametrize(("tls", "setting"), [("starttls", "starttls"), ("implicit", "ssl")])
def test_a_server_that_nobody_vouches_for_gets_nothing(
    sqlite_bank: Bank, open_mailbox: OpenMailbox, tls: str, setting: str
) -> None:
    mailbox = open_mailbox(tls=tls)
    key = queue(sqlite_bank)
    assert outbox.deliver_waiting(by(sqlite_bank, mailbox, smtp_tls=setting)) == 0
    assert mailbox.attempts == 0
    assert state(sqlite_bank, key) == (WAITS, 0)
    assert "certificate verify failed" in (row(sqlite_bank, key).last_error or "")


def test_a_certificate_for_another_name_is_refused(
    sqlite_bank: Bank,
    open_mailbox: OpenMailbox,
    mail_certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mailbox = open_mailbox(tls="starttls")
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named)
    )
    key = queue(sqlite_bank)
    trusting = by(
        sqlite_bank,
        mailbox,
        smtp_host="mail.thief.example",
        smtp_tls="starttls",
        smtp_ca_file=str(mail_certificate.pem),
    )
    assert outbox.deliver_waiting(trusting) == 0
    assert "mail.thief.example" in (row(sqlite_bank, key).last_error or "")


def test_a_server_without_tls_gets_nothing_when_tls_is_asked_for(
    sqlite_bank: Bank, mailbox: Mailbox
) -> None:
    key = queue(sqlite_bank)
    assert outbox.deliver_waiting(by(sqlite_bank, mailbox, smtp_tls="starttls")) == 0
    assert state(sqlite_bank, key) == (WAITS, 0)
    assert "STARTTLS" in (row(sqlite_bank, key).last_error or "")


def test_a_wrong_log_in_keeps_the_letter_and_the_password_to_itself(
    sqlite_bank: Bank, open_mailbox: OpenMailbox, mail_certificate: Certificate
) -> None:
    mailbox = open_mailbox(tls="starttls", login=("post@bank.example", "app password"))
    key = queue(sqlite_bank)
    wrong = by(
        sqlite_bank,
        mailbox,
        smtp_tls="starttls",
        smtp_ca_file=str(mail_certificate.pem),
        smtp_user="post@bank.example",
        smtp_password=SecretStr("an old password"),
    )
    assert outbox.deliver_waiting(wrong) == 0
    assert state(sqlite_bank, key) == (WAITS, 0)
    assert "535" in (row(sqlite_bank, key).last_error or "")
    assert "an old password" not in str(people.trail(sqlite_bank, "core.outbox.deliver_waiting"))


# Refusals and bad connections.


def test_a_refused_recipient_fails_at_once_and_the_next_is_served(
    bank: Bank, mailbox: Mailbox
) -> None:
    mailbox.refused.add("gone@example.com")
    gone, here = queue(bank, "gone@example.com"), queue(bank)
    assert outbox.deliver_waiting(by(bank, mailbox)) == 1
    assert state(bank, gone) == (MessageStatus.FAILED, 1)
    assert row(bank, gone).last_error == "550 no such mailbox"
    assert state(bank, here) == SENT


@pytest.mark.parametrize(
    ("answer", "status"),
    [("451 try later", WAITS), ("554 this looks like spam", MessageStatus.FAILED)],
)
def test_what_the_server_answers_decides(
    sqlite_bank: Bank, mailbox: Mailbox, answer: str, status: MessageStatus
) -> None:
    mailbox.answer = answer
    key = queue(sqlite_bank)
    assert outbox.deliver_waiting(by(sqlite_bank, mailbox)) == 0
    assert state(sqlite_bank, key) == (status, 1)
    assert row(sqlite_bank, key).last_error == answer


def test_a_dropped_connection_is_tried_again_later(bank: Bank, mailbox: Mailbox) -> None:
    mailbox.drops = 1
    first, second = queue(bank), queue(bank, "ravi@example.com")
    assert outbox.deliver_waiting(by(bank, mailbox)) == 1
    assert state(bank, first) == (WAITS, 1)
    assert state(bank, second) == SENT, "over a new connection"
    assert "connection lost" in (row(bank, first).last_error or "")
    people.later(bank, seconds=30)
    assert outbox.deliver_waiting(by(bank, mailbox)) == 1
    assert [letter["X-Rcpt-To"] for letter in mailbox.messages] == [
        "ravi@example.com",
        "asha@example.com",
    ]


def test_a_server_that_never_answers_is_given_up_in_time(
    sqlite_bank: Bank, mailbox: Mailbox
) -> None:
    mailbox.frozen = True
    key = queue(sqlite_bank)
    assert outbox.deliver_waiting(by(sqlite_bank, mailbox, smtp_timeout=0.3)) == 0
    mailbox.wait_for_attempts(1)
    assert state(sqlite_bank, key) == (WAITS, 1)
    assert "timed out" in (row(sqlite_bank, key).last_error or "")


def test_a_server_that_is_not_there_is_not_held_against_the_letter(
    sqlite_bank: Bank, mailbox: Mailbox
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = free.getsockname()[1]
    keys = [queue(sqlite_bank), queue(sqlite_bank)]
    assert outbox.deliver_waiting(by(sqlite_bank, mailbox, smtp_port=nobody)) == 0
    assert [state(sqlite_bank, key) for key in keys] == [(WAITS, 0)] * 2
    people.later(sqlite_bank, seconds=30)
    assert outbox.deliver_waiting(by(sqlite_bank, mailbox)) == 2


def test_a_sender_that_the_server_does_not_want_is_our_trouble(
    sqlite_bank: Bank, open_mailbox: OpenMailbox, mail_certificate: Certificate
) -> None:
    mailbox = open_mailbox(tls="starttls", login=("post@bank.example", "app password"))
    key = queue(sqlite_bank)
    anonymous = by(
        sqlite_bank, mailbox, smtp_tls="starttls", smtp_ca_file=str(mail_certificate.pem)
    )
    assert outbox.deliver_waiting(anonymous) == 0
    assert state(sqlite_bank, key) == (WAITS, 0)
    assert "530" in (row(sqlite_bank, key).last_error or "")


# Delivery that goes on beside the bank.


@contextmanager
def delivering(bank: Bank) -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=outbox.deliver_forever, args=(bank, stop))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        bank.outbox_waits.set()
        thread.join(10)
        assert not thread.is_alive()


def test_a_committed_message_wakes_the_delivery(
    bank: Bank, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LOOK_AGAIN_SECONDS", 3600)
    sending = by(bank, mailbox).bank
    with delivering(sending):
        for index in range(3):
            queue(sending, f"customer{index}@example.com")
            mailbox.wait_for_one(to=f"customer{index}@example.com")


@pytest.mark.parametrize(
    "bad",
    [
        {"smtp_ca_file": "/no/such/certificates.pem"},
        {"smtp_user": "no address", "smtp_tls": "none"},
        {"smtp_user": "bank@bank.example", "smtp_password": SecretStr("pässwort")},
        {"smtp_host": "ä" * 70 + ".example"},
    ],
)
def test_a_bad_setting_holds_nothing_against_the_messages(
    sqlite_bank: Bank, mailbox: Mailbox, bad: dict[str, Any]
) -> None:
    key = queue(sqlite_bank)
    for _ in range(2):
        assert outbox.deliver_waiting(by(sqlite_bank, mailbox, **bad)) == 0
        people.later(sqlite_bank, minutes=5)
    message = row(sqlite_bank, key)
    assert (message.status, message.attempts) == (WAITS, 0)
    assert "usable" in str(message.last_error)
    assert outbox.deliver_waiting(by(sqlite_bank, mailbox)) == 1


@pytest.mark.parametrize("trouble", [OSError("no space left"), ValueError("no such host")])
def test_the_delivery_outlives_whatever_is_raised_outside(
    bank: Bank,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
) -> None:
    monkeypatch.setattr(outbox, "LOOK_AGAIN_SECONDS", 0.05)
    real, left = outbox.deliver_waiting, [trouble] * 2

    def fragile(desk: Desk) -> int:
        if left:
            raise left.pop()
        return real(desk)

    monkeypatch.setattr(outbox, "deliver_waiting", fragile)
    sending = by(bank, mailbox).bank
    queue(sending)
    with delivering(sending):
        mailbox.wait_for(1)
    assert str(trouble) in caplog.text


def test_a_message_that_cannot_be_read_fails_for_good_and_holds_up_nobody(
    bank: Bank, mailbox: Mailbox
) -> None:
    with chunk(desk(bank, Role.SYSTEM), "test.write") as tx:
        lost = queue_mail(tx, "asha@example.com", "Code", "123456", "code", confidential=True)
    with chunk(desk(bank, Role.SYSTEM), "test.write") as tx:
        tx.session.execute(update(Message).where(Message.id == lost).values(body="gAAAAAB="))
    after = queue(bank)
    assert outbox.deliver_waiting(by(bank, mailbox)) == 1
    assert state(bank, lost) == (MessageStatus.FAILED, 1)
    assert "another key" in str(row(bank, lost).last_error)
    assert state(bank, after) == SENT
    demo = people.as_demo(bank)
    with chunk(desk(bank, Role.SYSTEM), "test.write") as tx:
        tx.session.execute(update(Message).where(Message.id == lost).values(body="gAAAAAB="))
    shown = {card.id: card.body for card in outbox.messages(desk(demo, Role.CASHIER))}
    assert "another key" in shown[lost]


def test_what_another_process_wrote_is_found_without_being_woken(
    bank: Bank, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LOOK_AGAIN_SECONDS", 0.05)
    sending = by(bank, mailbox).bank
    with delivering(sending):
        other = replace(sending, outbox_waits=threading.Event())
        queue(other)
        mailbox.wait_for(1)
        assert other.outbox_waits.is_set()


def test_a_database_that_stumbles_does_not_end_the_delivery(
    sqlite_bank: Bank,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(outbox, "LOOK_AGAIN_SECONDS", 0.05)
    troubles: list[Exception] = [
        OperationalError("SELECT 1", {}, Exception("server closed the connection")),
        sqlite_bank.db.engine.dialect.loaded_dbapi.Error("database is locked"),
    ]
    real = outbox._is_any_due

    def stumble(at: Desk) -> bool:
        if troubles:
            raise troubles.pop()
        return real(at)

    monkeypatch.setattr(outbox, "_is_any_due", stumble)
    queue(sqlite_bank)
    with caplog.at_level(logging.WARNING, "bank.outbox"), delivering(by(sqlite_bank, mailbox).bank):
        mailbox.wait_for(1)
    assert [record.name for record in caplog.records].count("bank.outbox") == 2
    wait_until(lambda: row(sqlite_bank, 1).status is MessageStatus.SENT)
