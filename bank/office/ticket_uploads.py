"""Files that come with a post of a ticket: what is taken, how it is kept, what is shown of it.

What a file is, its first bytes tell, never its name or the browser; and it must open as that. The
bytes lie in the store of documents, the row in `ticket_files` says with which post they came.
"""

import hashlib
import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from PIL import Image
from sqlalchemy import select

from bank.core import documents
from bank.core.desk import Tx, query
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.office.ticket_tables import LONGEST_FILE_NAME, FileKind, TicketFile, rule_of

MEGABYTE: Final = 1024 * 1024
FIELD: Final = "files"
BEGINS: Final = {
    FileKind.PDF: b"%PDF-",
    FileKind.PNG: b"\x89PNG\r\n\x1a\n",
    FileKind.JPEG: b"\xff\xd8\xff",
}
ENDINGS: Final = {
    FileKind.PDF: (".pdf",),
    FileKind.PNG: (".png",),
    FileKind.JPEG: (".jpg", ".jpeg"),
}
# Pillow says in many ways that something is no such picture, or would be too large in memory.
NO_PICTURE: Final = (
    *(OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, EOFError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)
_PDF_ENDS: Final = b"%%EOF"
_END_WITHIN: Final = 2_048  # bytes: some programs write a little behind the end


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as somebody hands it in, with the name that their device gave it."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class CleanFile:
    """A file that may be kept: its name made harmless, its kind proven."""

    name: str
    kind: FileKind
    sha256: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class FileCard:
    """A file as the readers of its post see it; `size` in bytes. `is_here` is False when the
    store of documents has lost it."""

    id: int
    name: str
    kind: FileKind
    size: int
    is_here: bool


@dataclass(frozen=True, kw_only=True)
class FileLimits:
    """How many files may come with one post, and how large each may be."""

    count: int
    megabytes: int


@query(Permission.SESSION_KEEP)
def file_limits(tx: Tx) -> FileLimits:
    """Say how many files may come with one message, and how large each may be."""
    return _limits(tx)


def clean_files(tx: Tx, files: Sequence[Upload]) -> Sequence[CleanFile]:
    """What may be kept of the files handed in, each content once; BadInput(files) names the file
    that is refused and says why."""
    if not files:
        return ()
    limits = _limits(tx)
    if len(files) > limits.count:
        raise BadInput(
            f"Files with one message: at most {limits.count}. You chose {len(files)}.",
            field=FIELD,
        )
    clean = [_clean(file, limits) for file in files]
    return tuple({file.sha256: file for file in reversed(clean)}.values())[::-1]


def attach(tx: Tx, post_id: int, files: Sequence[CleanFile]) -> None:
    """Keep the files and say with which post they came. Their bytes are safe before the
    transaction commits; if it does not, they lie there unused."""
    for file in files:
        digest = documents.keep(tx.bank.settings, file.content)
        assert digest == file.sha256
        tx.session.add(
            TicketFile(
                post_id=post_id,
                name=file.name,
                kind=file.kind,
                size=len(file.content),
                sha256=digest,
                at=tx.now,
            )
        )
    if files:
        tx.session.flush()
        tx.facts["kept"] = [{"name": file.name, "sha256": file.sha256} for file in files]


def files_at(tx: Tx, posts: Sequence[int]) -> Mapping[int, Sequence[FileCard]]:
    """The files of these posts by post, in the order they came."""
    found: dict[int, list[FileCard]] = {}
    rows = tx.session.scalars(
        select(TicketFile).where(TicketFile.post_id.in_(posts)).order_by(TicketFile.id)
    )
    for row in rows:
        card = FileCard(
            id=row.id,
            name=row.name,
            kind=row.kind,
            size=row.size,
            is_here=documents.is_here(tx.bank.settings, row.sha256, row.size),
        )
        found.setdefault(row.post_id, []).append(card)
    return found


def digests_at(tx: Tx, post_id: int) -> set[str]:
    """The digests of the files that came with a post."""
    wanted = select(TicketFile.sha256).where(TicketFile.post_id == post_id)
    return set(tx.session.scalars(wanted))


def named_in_mail(files: Sequence[CleanFile]) -> str:
    """What a mail says of the files, which stay in the bank."""
    if not files:
        return ""
    names = ", ".join(file.name for file in files)
    return f"\n\nFiles with this message, to be read in the portal: {names}."


def clean_name(name: str, kind: FileKind) -> str:
    """The name without folders and what cannot be printed, ending as its kind does."""
    last = name.replace("\\", "/").rpartition("/")[2]
    text = " ".join("".join(c if c.isprintable() else " " for c in last).split()).lstrip(". ")
    path = PurePosixPath(text or "file")
    ending = path.suffix.lower()
    if ending in ENDINGS[kind]:
        stem = path.stem
    else:  # a name that promises another kind keeps its words and gets the right ending
        stem, ending = path.name, ENDINGS[kind][0]
    return f"{stem[: LONGEST_FILE_NAME - len(ending)].rstrip()}{ending}"


def _limits(tx: Tx) -> FileLimits:
    return FileLimits(count=rule_of(tx, "post_files"), megabytes=rule_of(tx, "file_megabytes"))


def _clean(file: Upload, limits: FileLimits) -> CleanFile:
    said = _shown(file.name)
    if not file.content:
        raise BadInput(f"{said} is empty.", field=FIELD)
    if len(file.content) > limits.megabytes * MEGABYTE:
        raise BadInput(f"{said} is larger than {limits.megabytes} MB.", field=FIELD)
    kinds = [kind for kind, begin in BEGINS.items() if file.content.startswith(begin)]
    if not kinds:
        raise BadInput(f"{said} is neither a PDF nor a PNG or JPEG picture.", field=FIELD)
    if not _opens(file.content, kinds[0]):
        raise BadInput(
            f"{said} is damaged: it cannot be opened as {kinds[0].upper()}.", field=FIELD
        )
    return CleanFile(
        name=clean_name(file.name, kinds[0]),
        kind=kinds[0],
        sha256=hashlib.sha256(file.content).hexdigest(),
        content=file.content,
    )


def _shown(name: str) -> str:
    """A name as a refusal may repeat it."""
    text = "".join(c for c in name if c.isprintable()).strip()
    return text[:LONGEST_FILE_NAME] or "The file"


def _opens(content: bytes, kind: FileKind) -> bool:
    if kind is FileKind.PDF:
        return _PDF_ENDS in content[-_END_WITHIN:]
    try:
        with Image.open(io.BytesIO(content), formats=[kind.upper()]) as picture:
            picture.verify()
    except NO_PICTURE:
        return False
    return True
