"""Files with a ticket: what is taken, who may fetch it, and that it stays what it was."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bank.core import documents
from bank.core.documents import DocumentAltered, DocumentMissing, NoRoomForDocuments
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.night import integrity
from bank.office import ticket_desk, ticket_files, ticket_moves, ticket_uploads, tickets
from bank.office.ticket_desk import Then
from bank.office.ticket_files import NoSuchFile
from bank.office.ticket_posts import Post, SentAlready
from bank.office.ticket_tables import FileKind
from bank.office.ticket_uploads import FileCard, Upload, clean_name
from bank.office.tickets import NoSuchTicket, TicketCard
from tests.support import queues
from tests.support.market import BANER, Market
from tests.support.tickets import (
    PDF,
    claimed,
    opened,
    own,
    picture,
    replied,
    solved,
    upload,
    written,
)

pytestmark = pytest.mark.feature("A6.1", "A6.2")
MEGABYTE = 1024 * 1024


def store(market: Market) -> Path:
    """Where the bytes lie."""
    return market.bank.settings.data_dir / documents.FOLDER


def stored(market: Market, content: bytes = PDF) -> Path:
    """Where these bytes lie."""
    return store(market) / hashlib.sha256(content).hexdigest()


def kept(market: Market) -> list[str]:
    """The names in the store, files that were left half written among them."""
    return sorted(path.name for path in store(market).glob("*")) if store(market).exists() else []


def files_of(posts: Any) -> list[list[str]]:
    """The names of the files, post by post."""
    return [[file.name for file in post.files] for post in posts]


def own_posts(market: Market, card: TicketCard) -> list[Post]:
    """What the customer sees."""
    return list(tickets.own_posts(market.desks["asha"], card.id))


def noted(market: Market, card: TicketCard, *files: Upload) -> FileCard:
    """The first file of an internal note."""
    ticket_desk.add_note(
        market.desks["executive"], card.id, "Look.", files, request_id=new_request_id()
    )
    return opened(market, card).posts[-1].files[0]


def test_a_customers_files_are_there_for_both(market: Market) -> None:
    card = written(market, files=[upload("slip.pdf"), upload("my photo.PNG", picture())])
    more = upload("page.jpg", picture("JPEG"))
    tickets.answer(market.desks["asha"], card.id, "One more.", [more], request_id=new_request_id())
    assert files_of(own_posts(market, card)) == [["slip.pdf", "my photo.png"], ["page.jpg"]]
    assert opened(market, card).posts == own_posts(market, card)
    found = [file for post in own_posts(market, card) for file in post.files]
    assert [file.kind for file in found] == [FileKind.PDF, FileKind.PNG, FileKind.JPEG]
    assert [file.size for file in found] == [len(PDF), len(picture()), len(more.content)]
    assert all(file.is_here for file in found)
    for file, content in zip(found, (PDF, picture(), more.content), strict=True):
        assert ticket_files.own_file(market.desks["asha"], file.id) == content
        assert ticket_files.ticket_file(market.desks["executive"], file.id) == content
    assert stored(market).stat().st_mode & 0o077 == store(market).stat().st_mode & 0o077 == 0


def test_an_executives_files_with_a_reply_and_when_it_is_opened_again(market: Market) -> None:
    card = claimed(market, written(market))
    replied(market, card, Then.SOLVE, files=[upload("answer.pdf")])
    queues.later(market, seconds=10)
    again = upload("again.png", picture())
    tickets.reopen(market.desks["asha"], card.id, "No.", [again], request_id=new_request_id())
    assert files_of(own_posts(market, card)) == [[], ["answer.pdf"], ["again.png"]]
    reply, reopened = market.mails("ticket")[-2:]
    assert "It is the yearly fee.\n\nFiles with this message" in reply["body"]
    assert "to be read in the portal: answer.pdf." in reply["body"]
    assert "again.png" in reopened["body"]


def test_the_mail_that_acknowledges_names_the_files_and_carries_none(market: Market) -> None:
    written(market, files=[upload("a.pdf"), upload("b.png", picture())])
    [mail] = market.rows("SELECT * FROM outbox WHERE purpose = 'ticket'")
    assert "to be read in the portal: a.pdf, b.png." in str(mail)
    assert "%PDF" not in str(mail)
    written(market)
    assert "Files with" not in market.mails("ticket")[-1]["body"]


def test_a_file_of_a_note_never_leaves_the_bank(market: Market) -> None:
    card = written(market)
    file = noted(market, card, upload("suspicion.pdf"))
    assert ticket_files.ticket_file(market.desks["executive"], file.id) == PDF
    with pytest.raises(NoSuchFile):
        ticket_files.own_file(market.desks["asha"], file.id)
    assert files_of(own_posts(market, card)) == [[]]
    assert "suspicion" not in str(market.rows("SELECT * FROM outbox"))


def test_who_does_not_see_the_ticket_does_not_get_its_file(market: Market) -> None:
    [file] = own_posts(market, written(market, files=[upload()]))[0].files
    for other in ("vikram", "nila"):
        with pytest.raises(NoSuchFile):
            ticket_files.own_file(market.desks[other], file.id)
    with pytest.raises(NoSuchFile):
        ticket_files.ticket_file(market.desks["executive_baner"], file.id)
    for who, verb in (("asha", ticket_files.own_file), ("executive", ticket_files.ticket_file)):
        with pytest.raises(NoSuchFile):
            verb(market.desks[who], 4711)
    for who in ("ravi", "auditor", "executive"):
        with pytest.raises(NotAllowed):
            ticket_files.own_file(market.desks[who], file.id)
    for who in ("ravi", "asha"):
        with pytest.raises(NotAllowed):
            ticket_files.ticket_file(market.desks[who], file.id)


def test_the_trail_has_what_came_and_who_fetched_it_but_no_bytes(market: Market) -> None:
    [file] = own_posts(market, written(market, files=[upload()]))[0].files
    ticket_files.ticket_file(market.desks["executive"], file.id)
    [came] = market.rows("SELECT details FROM trail WHERE verb = 'office.tickets.open_ticket'")
    assert f'"content":"{len(PDF)} bytes"' in came["details"]
    assert stored(market).name in came["details"]
    assert "%PDF" not in came["details"]
    reads = market.rows("SELECT actor_name FROM trail WHERE object_kind = 'ticket file'"
                        f" AND object_id = '{file.id}' AND outcome = 'read'")  # fmt: skip
    assert [row["actor_name"] for row in reads] == [market.desks["executive"].name]


def test_merged_tickets_keep_their_files(market: Market) -> None:
    gone = claimed(market, written(market, files=[upload("first.pdf")]))
    note = noted(market, gone, upload("hint.png", picture()))
    stays = written(market, files=[upload("second.pdf", PDF + b"\n")])
    ticket_moves.merge_ticket(market.desks["executive"], gone.id, stays.id)
    assert files_of(own_posts(market, stays)) == [["first.pdf"], ["second.pdf"]]
    [file] = own_posts(market, stays)[0].files
    assert ticket_files.own_file(market.desks["asha"], file.id) == PDF
    claimed(market, stays)
    ticket_moves.move_ticket(market.desks["executive"], stays.id, market.branch_ids[BANER], "Hers")
    # It is read with the ticket it went on in, wherever that is now.
    assert files_of(opened(market, stays, "executive_baner").posts)[0] == ["first.pdf"]
    for each in (file, note):
        assert ticket_files.ticket_file(market.desks["executive_baner"], each.id)
        assert ticket_files.ticket_file(market.desks["executive"], each.id)
    with pytest.raises(NoSuchTicket):
        opened(market, stays)
    other = opened(market, stays, "executive_baner").posts[2].files[0]
    with pytest.raises(NoSuchFile):
        ticket_files.ticket_file(market.desks["executive"], other.id)


def test_a_merged_ticket_out_of_sight_keeps_its_files_to_itself(market: Market) -> None:
    gone = claimed(market, written(market, "vikram", files=[upload()]), "executive_baner")
    stays = written(market, "vikram")
    ticket_moves.merge_ticket(market.desks["executive_baner"], gone.id, stays.id)
    [row] = market.rows("SELECT id FROM ticket_files")
    with pytest.raises(NoSuchFile):
        ticket_files.ticket_file(market.desks["executive"], row["id"])


def test_a_second_click_attaches_nothing_twice(market: Market) -> None:
    once, asha = new_request_id(), market.desks["asha"]
    card = written(market, files=[upload()], request_id=once)
    assert written(market, files=[upload("other name.pdf")], request_id=once) == card
    for files in ([], [upload("b.png", picture())], [upload(), upload("b.png", picture())]):
        with pytest.raises(SentAlready):
            written(market, files=files, request_id=once)
    again = new_request_id()
    for _ in range(2):
        tickets.answer(asha, card.id, "Also", [upload()], request_id=again)
    with pytest.raises(SentAlready):
        tickets.answer(asha, card.id, "Also", request_id=again)
    assert len(market.rows("SELECT id FROM ticket_files")) == 2
    assert kept(market) == [stored(market).name]  # one content, kept once
    same = [upload("a.pdf"), upload("b.pdf")]
    assert files_of(own_posts(market, written(market, files=same))) == [["a.pdf"]]


def test_a_second_click_on_reply_and_note(market: Market) -> None:
    card, desk = claimed(market, written(market)), market.desks["executive"]
    first, second = new_request_id(), new_request_id()
    for _ in range(2):
        replied(market, card, files=[upload()], request_id=first)
        ticket_desk.add_note(desk, card.id, "Hm", [upload()], request_id=second)
    with pytest.raises(SentAlready):
        replied(market, card, request_id=first)
    with pytest.raises(SentAlready):
        ticket_desk.add_note(desk, card.id, "Hm", request_id=second)
    assert files_of(opened(market, card).posts) == [[], ["slip.pdf"], ["slip.pdf"]]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([upload(f"{n}.png", picture(shade=n)) for n in range(4)], "at most 3.* chose 4"),
        ([upload("void.pdf", b"")], "void.pdf is empty"),
        ([upload(), upload("big.pdf", PDF.ljust(5 * MEGABYTE + 1))], "big.pdf is larger than 5 MB"),
        ([upload("run.pdf", b"MZ\x90\x00")], "run.pdf is neither a PDF nor"),
        ([upload("page.png", b"<html>%PDF-1.4 %%EOF")], "page.png is neither"),
        ([upload("half.pdf", PDF[:20])], "half.pdf is damaged: it cannot be opened as PDF"),
        ([upload("half.png", picture()[:-9])], "half.png is damaged: it cannot be opened as PNG"),
        ([upload("p.jpg", b"\xff\xd8\xff\xe0junk")], "p.jpg is damaged: .* opened as JPEG"),
        ([upload("\x00\x07", b"x")], "The file is neither"),
    ],
)
def test_a_refusal_says_which_file_and_why(
    sqlite_market: Market, files: list[Upload], says: str
) -> None:
    market = sqlite_market
    card = claimed(market, written(market))
    before = market.rows("SELECT id FROM ticket_posts")
    asha, executive = market.desks["asha"], market.desks["executive"]
    once: Callable[[], dict[str, str]] = lambda: {"request_id": new_request_id()}  # noqa: E731
    for attempt in (
        lambda: written(market, files=files),
        lambda: tickets.answer(asha, card.id, "More", files, **once()),
        lambda: replied(market, card, files=files),
        lambda: ticket_desk.add_note(executive, card.id, "Hm", files, **once()),
    ):
        with pytest.raises(BadInput, match=says) as refused:
            attempt()
        assert refused.value.field == "files"
    replied(market, card, Then.SOLVE)
    with pytest.raises(BadInput, match=says):
        tickets.reopen(asha, card.id, "No", files, **once())
    assert len(market.rows("SELECT id FROM ticket_posts")) == len(before) + 1
    assert kept(market) == []


def test_exactly_five_megabytes_pass_and_a_picture_too_wide_to_open_does_not(
    sqlite_market: Market,
) -> None:
    written(sqlite_market, files=[upload("big.pdf", PDF[:-6].ljust(5 * MEGABYTE - 6) + PDF[-6:])])
    wide = bytearray(picture())
    wide[16:24] = (60_000).to_bytes(4) * 2  # width and height, as a bomb would claim them
    with pytest.raises(BadInput, match="damaged"):
        written(sqlite_market, files=[upload("bomb.png", bytes(wide))])


def test_how_many_and_how_large_are_rules_with_a_date(market: Market) -> None:
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO ticket_rules (name, effective_from, value, source)"
            " VALUES ('post_files', '2026-03-16', 1, 'a test'),"
            " ('file_megabytes', '2026-03-16', 1, 'a test'),"
            " ('file_megabytes', '2027-01-01', 9, 'a test')"
        )
    limits = ticket_uploads.file_limits(market.desks["asha"])
    assert (limits.count, limits.megabytes) == (1, 1)
    with pytest.raises(BadInput, match="at most 1"):
        written(market, files=[upload(), upload("b.png", picture())])
    with pytest.raises(BadInput, match="larger than 1 MB"):
        written(market, files=[upload("b.pdf", PDF.ljust(MEGABYTE + 1))])


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ("slip.pdf", FileKind.PDF, "slip.pdf"),
        ("SLIP.PDF", FileKind.PDF, "SLIP.pdf"),
        ("../../etc/passwd", FileKind.PDF, "passwd.pdf"),
        ("C:\\Users\\asha\\photo.jpeg", FileKind.JPEG, "photo.jpeg"),
        ("photo.html", FileKind.PNG, "photo.html.png"),
        ("a\u202egnp.exe\x00\n.png", FileKind.PNG, "a gnp.exe.png"),
        ("", FileKind.PDF, "file.pdf"),
        ("folder/", FileKind.JPEG, "file.jpg"),
        (".pdf", FileKind.PDF, "pdf.pdf"),
        ("\ud83d.pdf", FileKind.PDF, "pdf.pdf"),
        ("पर्ची.pdf", FileKind.PDF, "पर्ची.pdf"),
        ("x" * 200 + ".pdf", FileKind.PDF, "x" * 76 + ".pdf"),
    ],
)
def test_a_name_is_made_harmless(given: str, kind: FileKind, name: str) -> None:
    assert clean_name(given, kind) == name


def test_what_came_is_never_changed(market: Market) -> None:
    written(market, files=[upload()])
    for sql in ("UPDATE ticket_files SET name = 'x'", "DELETE FROM ticket_files"):
        with pytest.raises(Exception, match="never changed or deleted"), market.tx() as tx:
            tx.connection.exec_driver_sql(sql)


def test_a_lost_or_altered_file_is_named_and_not_shown(market: Market) -> None:
    card = written(market, files=[upload("slip.pdf")])
    [file] = own_posts(market, card)[0].files
    asha, auditor = market.desks["asha"], market.desks["auditor"]
    check = lambda: integrity.run_check(auditor, integrity.FILES)  # noqa: E731
    assert check().passed
    stored(market).write_bytes(PDF[:-1] + b"!")
    with pytest.raises(DocumentAltered, match=r"slip\.pdf is not what"):
        ticket_files.own_file(asha, file.id)
    finding = f"file {file.id} of {card.reference}, slip.pdf, is "
    assert [row["finding"] for row in check().sample] == [finding + "altered"]
    stored(market).unlink()
    with pytest.raises(DocumentMissing, match=r"slip\.pdf is missing"):
        ticket_files.own_file(asha, file.id)
    assert [row["finding"] for row in check().sample] == [finding + "missing"]
    assert not own_posts(market, card)[0].files[0].is_here
    told = market.rows("SELECT refusal FROM trail WHERE verb = 'office.ticket_files.own_file'"
                       " AND outcome = 'refused' ORDER BY id")  # fmt: skip
    assert [row["refusal"].split(":")[0] for row in told] == ["DocumentAltered", "DocumentMissing"]
    # The same bytes, handed in again, heal it for both.
    tickets.answer(asha, card.id, "Here.", [upload("copy.pdf")], request_id=new_request_id())
    assert check().passed
    assert ticket_files.own_file(asha, file.id) == PDF


def test_an_altered_file_is_not_reused(sqlite_market: Market) -> None:
    market = sqlite_market
    written(market, files=[upload()])
    stored(market).write_bytes(b"%PDF-other")
    card = written(market, files=[upload()])
    [file] = own_posts(market, card)[0].files
    assert ticket_files.own_file(market.desks["asha"], file.id) == PDF


def test_what_a_rollback_leaves_does_no_harm_and_is_reused(
    market: Market,
) -> None:
    card = solved(market)
    asha = market.desks["asha"]
    with market.tx() as tx:  # what a transaction that is rolled back has done before
        documents.keep(tx.bank.settings, PDF)
    before = stored(market).stat().st_ino
    assert integrity.run_check(market.desks["auditor"], integrity.FILES).passed
    tickets.reopen(asha, card.id, "Here.", [upload()], request_id=new_request_id())
    assert stored(market).stat().st_ino == before
    assert own(market, card).solved_at is None


def test_a_store_that_takes_nothing_refuses_the_whole_message(market: Market) -> None:
    store(market).write_text("a file where the folder should be")
    with pytest.raises(NoRoomForDocuments):
        written(market, files=[upload()])
    assert tickets.own_tickets(market.desks["asha"]) == []
    assert written(market).id  # without files it goes
