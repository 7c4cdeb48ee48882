"""The mail server of the tests keeps what it accepts, and misbehaves exactly as told."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from tests.support.mail import Certificate, Mailbox


def letter(to: str = "asha@example.com", subject: str = "Receipt") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bank@example.com", to, subject
    message.set_content("₹ 500.00 were paid in.")
    return message


def client(mailbox: Mailbox) -> smtplib.SMTP:
    return smtplib.SMTP(mailbox.host, mailbox.port, timeout=10)


def test_it_keeps_the_message_and_the_envelope(mailbox: Mailbox) -> None:
    with client(mailbox) as smtp:
        smtp.send_message(letter(), to_addrs=["asha@example.com", "copy@example.com"])
    kept = mailbox.wait_for_one(to="copy@example.com", subject="Receipt")
    assert kept["X-Mail-From"] == "bank@example.com"
    assert "₹ 500.00" in kept.get_content()
    mailbox.clear()
    assert mailbox.messages == []


def test_waiting_in_vain_says_what_is_there(mailbox: Mailbox) -> None:
    with client(mailbox) as smtp:
        smtp.send_message(letter())
    with pytest.raises(TimeoutError, match=r"asha@example\.com: Receipt"):
        mailbox.wait_for(subject="Statement", timeout=0.05)


def test_part_of_a_list_is_refused(mailbox: Mailbox) -> None:
    mailbox.refused.add("gone@example.com")
    with client(mailbox) as smtp:
        refused = smtp.send_message(letter(), to_addrs=["asha@example.com", "gone@example.com"])
    assert list(refused) == ["gone@example.com"]
    assert mailbox.wait_for_one()["X-Rcpt-To"] == "asha@example.com"


def test_the_connection_drops_once(mailbox: Mailbox) -> None:
    mailbox.drops = 1
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client(mailbox).send_message(letter())
    with client(mailbox) as smtp:
        smtp.send_message(letter())
    assert len(mailbox.wait_for(1)) == 1
    assert mailbox.attempts == 2


def test_a_busy_server_keeps_nothing(mailbox: Mailbox) -> None:
    mailbox.answer = "451 try later"
    with client(mailbox) as smtp, pytest.raises(smtplib.SMTPDataError, match="451"):
        smtp.send_message(letter())
    assert mailbox.messages == []


def test_a_frozen_server_never_answers(mailbox: Mailbox) -> None:
    mailbox.frozen = True
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        smtplib.SMTP(mailbox.host, mailbox.port, timeout=0.3).send_message(letter())
    mailbox.wait_for_attempts(1)


def test_starttls_is_required_and_verifiable(
    open_mailbox: Callable[..., Mailbox], mail_certificate: Certificate
) -> None:
    mailbox = open_mailbox(tls="starttls", login=("bank", "correct horse"))
    with client(mailbox) as smtp, pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"):
        smtp.send_message(letter())
    with client(mailbox) as smtp, pytest.raises(ssl.SSLCertVerificationError):
        smtp.starttls(context=ssl.create_default_context())
    trusting = ssl.create_default_context(cafile=str(mail_certificate.pem))
    with client(mailbox) as smtp:
        smtp.starttls(context=trusting)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("bank", "wrong")
        smtp.login("bank", "correct horse")
        smtp.send_message(letter())
    assert mailbox.wait_for_one()["X-Login"] == "bank"


def test_implicit_tls_with_a_login(
    open_mailbox: Callable[..., Mailbox], mail_certificate: Certificate
) -> None:
    mailbox = open_mailbox(tls="implicit", login=("bank", "correct horse"))
    trusting = ssl.create_default_context(cafile=str(mail_certificate.pem))
    with smtplib.SMTP_SSL(mailbox.host, mailbox.port, context=trusting, timeout=10) as smtp:
        smtp.login("bank", "correct horse")
        smtp.send_message(letter())
    assert mailbox.wait_for_one()["X-Login"] == "bank"
