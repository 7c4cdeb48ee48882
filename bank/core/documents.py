"""Documents: bytes that people give to the bank, each kept once under its own digest.

`documents/<sha256>` in the data directory is written whole or not at all, before the transaction
that refers to it commits. What a rollback leaves behind does no harm, and serves whoever brings
the same bytes again. Reading proves the digest: what was altered is never shown.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from bank.core.config import Settings, make_private, sync_folder
from bank.core.errors import NotFound, WrongState
from bank.core.ids import new_token

FOLDER: Final = "documents"


class DocumentMissing(NotFound):
    """The file is missing in the bank's store. Tell the head office: a backup has it."""


class DocumentAltered(WrongState):
    """The file is not what was handed in any more. Tell the head office: a backup has it."""


class NoRoomForDocuments(WrongState):
    """The bank cannot keep files at the moment. Send your words without them, or try later."""


def keep(settings: Settings, content: bytes) -> str:
    """Put the bytes into the store, safe from a power cut, and answer their SHA-256 in hex.

    NoRoomForDocuments when the disk takes nothing.
    """
    digest = hashlib.sha256(content).hexdigest()
    folder = settings.data_dir / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_private(folder, 0o700)
        if fault(settings, digest) is not None:  # not here, or spoiled: these bytes are right
            _write(folder, digest, content)
        sync_folder(folder)  # also for a file that another request has just put here
    except OSError as full:
        raise NoRoomForDocuments from full
    return digest


def fetch(settings: Settings, digest: str, name: str) -> bytes:
    """The bytes of a document; DocumentMissing or DocumentAltered naming the file `name`."""
    path = settings.data_dir / FOLDER / digest
    try:
        content = path.read_bytes()
    except OSError as gone:
        raise DocumentMissing(
            f"The file {name} is missing in the bank's store. "
            "Tell the head office: a backup has it."
        ) from gone
    if hashlib.sha256(content).hexdigest() != digest:
        raise DocumentAltered(
            f"The file {name} is not what was handed in any more. "
            "Tell the head office: a backup has it."
        )
    return content


def is_here(settings: Settings, digest: str, size: int) -> bool:
    """Whether a document lies in the store with its size in bytes; a look, no proof."""
    try:
        return (settings.data_dir / FOLDER / digest).stat().st_size == size
    except OSError:
        return False


def fault(settings: Settings, digest: str) -> str | None:
    """What is wrong with a document: `missing`, `altered`, or None."""
    try:
        with (settings.data_dir / FOLDER / digest).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing"
    return None if found == digest else "altered"


def _write(folder: Path, digest: str, content: bytes) -> None:
    fresh = folder / f".{digest}-{new_token()}"
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / digest)
    finally:
        fresh.unlink(missing_ok=True)
