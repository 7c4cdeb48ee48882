"""The outbox as a queue: written with its cause, claimed by one, tried again, given up."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bank.core import mail, outbox
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.errors import BadInput, NotAllowed
from bank.core.outbox import Message, MessageStatus, queue_mail
from bank.core.permissions import GRANTS, Permission, Role
from tests.support import people
from tests.support.bank import desk

pytestmark = pytest.mark.feature("A13.1", "A13.3")


class Server:
    """What a Postman meets in these tests: takes letters, or raises what it was told to."""

    def __init__(self) -> None:
        self.taken: list[mail.Letter] = []
        self.trouble: list[mail.NotDelivered | None] = []
        self.at_the_door = threading.Barrier(1)

    def __call__(self, _settings: object) -> "Server":
        return self

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def deliver(self, letter: mail.Letter) -> None:
        self.at_the_door.wait(10)
        if self.trouble and (trouble := self.trouble.pop(0)) is not None:
            raise trouble
        self.taken.append(letter)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr(mail, "Postman", made)
    return made


def with_server(bank: Bank) -> Bank:
    return replace(bank, settings=bank.settings.model_copy(update={"smtp_host": "127.0.0.1"}))


def system(bank: Bank) -> Desk:
    return desk(with_server(bank), Role.SYSTEM)


@contextmanager
def writing(bank: Bank) -> Iterator[Any]:
    with chunk(desk(bank, Role.SYSTEM), "test.write") as tx:
        yield tx


def queue(bank: Bank, subject: str = "Receipt", **more: Any) -> int:
    with writing(bank) as tx:
        return queue_mail(tx, "asha@example.com", subject, "₹ 500.00 were paid in.", "test", **more)


def row(bank: Bank, message_id: int) -> Message:
    with looking(desk(bank, Role.SYSTEM)) as tx:
        found = tx.session.scalars(select(Message).where(Message.id == message_id)).one()
        tx.session.expunge(found)
        return found


def test_a_message_goes_with_its_cause_or_not_at_all(bank: Bank) -> None:
    def fail() -> None:
        with writing(bank) as tx:
            queue_mail(tx, "asha@example.com", "Receipt", "Paid in.", "test")
            raise BadInput

    with pytest.raises(BadInput):
        fail()
    assert people.count(bank, "outbox") == 0
    assert not bank.outbox_waits.is_set()
    message = row(bank, queue(bank, user_id=7))
    assert bank.outbox_waits.is_set(), "whoever delivers need not poll"
    assert (message.status, message.attempts) == (MessageStatus.WAITING, 0)
    assert (message.recipient, message.user_id) == ("asha@example.com", 7)
    assert message.queued_at == message.not_before == bank.clock.now()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "asha",
        "asha@localhost",
        "asha@example.com\n",
        "asha@example.com\r\nBcc: thief@example.com",
        "asha@example.com, thief@example.com",
        "asha@example.com;thief@example.com",
        "Asha <asha@example.com>",
        "asha @example.com",
        "asha@exam ple.com",
        ".asha@example.com",
        "asha..rao@example.com",
        "asha@-example.com",
        "आशा@example.com",
        "a" * 250 + "@example.com",
    ],
)
def test_a_recipient_is_one_address_and_nothing_else(sqlite_bank: Bank, address: str) -> None:
    with writing(sqlite_bank) as tx:
        with pytest.raises(BadInput) as refused:
            queue_mail(tx, address, "Receipt", "Paid in.", "test")
    assert refused.value.field == "email"


@pytest.mark.parametrize(
    "address",
    ["asha@example.com", "a.r+bank@mail.example.co.in", "o'neil_1@x-y.example", "A@EXAMPLE.COM"],
)
def test_ordinary_addresses_are_taken(address: str) -> None:
    assert outbox.clean_address(address) == address


@pytest.mark.parametrize(
    "subject", ["", "Receipt\nBcc: thief@example.com", "Receipt\r\n\r\nHello", "x" * 201, "a\x00b"]
)
def test_a_subject_is_one_printable_line(sqlite_bank: Bank, subject: str) -> None:
    with writing(sqlite_bank) as tx:
        with pytest.raises(BadInput) as refused:
            queue_mail(tx, "asha@example.com", subject, "Paid in.", "test")
    assert refused.value.field == "subject"


def test_what_waits_is_delivered_in_order_and_once(bank: Bank, server: Server) -> None:
    first = queue(bank, "First")
    people.later(bank, seconds=1)
    second = queue(bank, "Second")
    assert outbox.deliver_waiting(system(bank)) == 2
    assert [letter.subject for letter in server.taken] == ["First", "Second"]
    assert outbox.deliver_waiting(system(bank)) == 0
    for message_id in (first, second):
        message = row(bank, message_id)
        assert (message.status, message.attempts, message.lease) == (MessageStatus.SENT, 1, None)
        assert message.sent_at == bank.clock.now()
        assert message.body == "₹ 500.00 were paid in."
    trail = people.trail(bank, "core.outbox.deliver_waiting")
    assert [line[:3] for line in trail] == [
        ("done", "message", str(first)),
        ("done", "message", str(second)),
    ]
    assert '"status":"sent"' in trail[0][3]


def test_without_a_mail_server_messages_wait(bank: Bank, server: Server) -> None:
    message_id = queue(bank)
    assert outbox.deliver_waiting(desk(bank, Role.SYSTEM)) == 0
    assert row(bank, message_id).status is MessageStatus.WAITING
    assert server.taken == []


@pytest.mark.feature("A1.6", "A1.5")
def test_a_code_lies_encrypted_and_is_emptied_once_it_is_sent(bank: Bank, server: Server) -> None:
    message_id = queue(bank, confidential=True)
    kept = row(bank, message_id)
    assert "500" not in kept.body
    assert bank.keyring.decrypt(outbox.KEY, kept.body) == "₹ 500.00 were paid in."
    outbox.deliver_waiting(system(bank))
    assert server.taken[0].body == "₹ 500.00 were paid in."
    assert row(bank, message_id).body == ""


def test_a_demo_bank_keeps_it_for_its_mailbox(bank: Bank, server: Server) -> None:
    demo = people.as_demo(bank)
    queue(demo, confidential=True)
    outbox.deliver_waiting(system(demo))
    [shown] = outbox.messages(desk(demo, Role.GUEST))
    assert (shown.body, shown.status) == ("₹ 500.00 were paid in.", MessageStatus.SENT)


def test_an_old_code_is_not_sent(bank: Bank, server: Server) -> None:
    in_ten = bank.clock.now() + timedelta(minutes=10)
    old = queue(bank, confidential=True, expires_at=in_ten)
    people.later(bank, minutes=10)
    young = queue(bank, expires_at=bank.clock.now() + timedelta(minutes=10))
    assert outbox.deliver_waiting(system(bank)) == 1
    message = row(bank, old)
    assert (message.status, message.body) == (MessageStatus.EXPIRED, "")
    assert row(bank, young).status is MessageStatus.SENT


def test_it_is_tried_again_later_and_later_and_then_given_up(bank: Bank, server: Server) -> None:
    message_id = queue(bank, confidential=True)
    server.trouble = [mail.NotDelivered(f"451 try later ({n})") for n in range(1, 20)]
    pauses = []
    for attempt in range(1, outbox.MOST_ATTEMPTS + 1):
        assert outbox.deliver_waiting(system(bank)) == 0
        message = row(bank, message_id)
        assert message.attempts == attempt
        assert message.last_error == f"451 try later ({attempt})"
        if attempt < outbox.MOST_ATTEMPTS:
            assert message.status is MessageStatus.WAITING
            assert message.body
            pauses.append(message.not_before - bank.clock.now())
            people.later(bank, seconds=pauses[-1].total_seconds() - 1)
            outbox.deliver_waiting(system(bank))
            assert row(bank, message_id).attempts == attempt, "not before its time"
            people.later(bank, seconds=1)
    assert pauses[:3] == [timedelta(seconds=s) for s in (30, 60, 120)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=1)
    assert (message.status, message.body) == (MessageStatus.FAILED, "")
    people.later(bank, days=1)
    outbox.deliver_waiting(system(bank))
    assert row(bank, message_id).attempts == outbox.MOST_ATTEMPTS


def test_a_mail_that_leaves_later_waits_and_can_be_called_off(bank: Bank, server: Server) -> None:
    later = bank.clock.now() + timedelta(seconds=10)
    stays, leaves = (queue(bank, each, not_before=later) for each in ("Called off", "Sent"))
    assert outbox.deliver_waiting(system(bank)) == 0
    with writing(bank) as tx:
        assert outbox.call_off_mail(tx, stays)
        assert not outbox.call_off_mail(tx, stays), "it does not wait any more"
    people.later(bank, seconds=9)
    assert outbox.deliver_waiting(system(bank)) == 0
    people.later(bank, seconds=1)
    assert outbox.deliver_waiting(system(bank)) == 1
    assert [letter.subject for letter in server.taken] == ["Sent"]
    assert row(bank, stays).status is MessageStatus.EXPIRED
    with writing(bank) as tx:
        assert not outbox.call_off_mail(tx, leaves), "it is sent"


def test_a_final_refusal_is_not_tried_again_and_holds_up_nobody(bank: Bank, server: Server) -> None:
    bad = queue(bank, "To nobody")
    good = queue(bank, "To somebody")
    server.trouble = [mail.NotDelivered("550 no such mailbox", is_final=True)]
    assert outbox.deliver_waiting(system(bank)) == 1
    assert (row(bank, bad).status, row(bank, bad).attempts) == (MessageStatus.FAILED, 1)
    assert row(bank, bad).last_error == "550 no such mailbox"
    assert row(bank, good).status is MessageStatus.SENT


def test_trouble_of_the_server_is_not_held_against_the_messages(bank: Bank, server: Server) -> None:
    first = queue(bank, "First")
    people.later(bank, seconds=1)
    second = queue(bank, "Second")
    for _ in range(40):
        server.trouble = [mail.NotDelivered("nobody answers", is_ours=True)]
        assert outbox.deliver_waiting(system(bank)) == 0
        assert server.trouble == [], "one try per round, and the rest waits"
        people.later(bank, minutes=10)
    states = {(row(bank, key).status, row(bank, key).attempts) for key in (first, second)}
    assert states == {(MessageStatus.WAITING, 0)}
    assert outbox.deliver_waiting(system(bank)) == 2


def test_two_processes_share_the_work_and_send_nothing_twice(bank: Bank, server: Server) -> None:
    for index in range(24):
        queue(bank, f"Message {index}")
    with ThreadPoolExecutor(6) as pool:
        counts = list(pool.map(lambda _: outbox.deliver_waiting(system(bank)), range(6)))
    assert sum(counts) == 24
    assert len({letter.subject for letter in server.taken}) == len(server.taken) == 24


def test_the_message_of_a_process_that_died_is_sent_by_another(bank: Bank, server: Server) -> None:
    message_id = queue(bank)
    claimed = outbox._claim(system(bank))  # and the process is gone
    assert claimed is not None
    assert outbox.deliver_waiting(system(bank)) == 0, "somebody may be sending it right now"
    assert row(bank, message_id).status is MessageStatus.SENDING
    people.later(bank, seconds=60 + 4 * bank.settings.smtp_timeout)
    assert outbox.deliver_waiting(system(bank)) == 1
    assert row(bank, message_id).attempts == 2
    assert server.taken[0].key == claimed.key, "under the same Message-ID"
    # The first was only slow after all: what it says about the message no longer counts.
    outbox._settle(system(bank), claimed, mail.NotDelivered("550 no", is_final=True))
    assert row(bank, message_id).status is MessageStatus.SENT


def test_a_code_that_runs_out_while_it_is_sent_is_left_alone(bank: Bank, server: Server) -> None:
    message_id = queue(bank, expires_at=bank.clock.now() + timedelta(seconds=5))
    claimed = outbox._claim(system(bank))
    assert claimed is not None
    people.later(bank, seconds=10)
    queue(bank)
    outbox.deliver_waiting(system(bank))
    assert row(bank, message_id).status is MessageStatus.SENDING
    outbox._settle(system(bank), claimed, None)
    assert row(bank, message_id).status is MessageStatus.SENT


def test_long_reasons_are_cut(sqlite_bank: Bank, server: Server) -> None:
    message_id = queue(sqlite_bank)
    server.trouble = [mail.NotDelivered("x" * 5_000)]
    outbox.deliver_waiting(system(sqlite_bank))
    assert row(sqlite_bank, message_id).last_error == "x" * 300


@pytest.mark.feature("A1.13")
@pytest.mark.parametrize("role", list(Role))
def test_who_delivers(sqlite_bank: Bank, server: Server, role: Role) -> None:
    queue(sqlite_bank)
    at = desk(with_server(sqlite_bank), role)
    if Permission.OUTBOX_DELIVER in GRANTS[role]:
        assert outbox.deliver_waiting(at) == 1
    else:
        with pytest.raises(NotAllowed):
            outbox.deliver_waiting(at)
