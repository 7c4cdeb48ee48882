"""Files that go with a message: the input that takes them, and the buttons that give them back."""

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.office import ticket_uploads
from bank.office.ticket_tables import FileKind
from bank.office.ticket_uploads import ENDINGS, FileCard, Upload
from pages.parts import ui, words

LABEL: Final = "Files"
MIME: Final = {
    FileKind.PDF: "application/pdf",
    FileKind.PNG: "image/png",
    FileKind.JPEG: "image/jpeg",
}


def files_input(desk: Desk, *, key: str, label: str = LABEL) -> Sequence[UploadedFile]:
    """An input for the files of one message. `key` holds the form's request id: a widget that
    takes files is emptied by nothing but another key."""
    limits = ticket_uploads.file_limits(desk)
    chosen: list[UploadedFile] = st.file_uploader(
        label,
        type=[ending for endings in ENDINGS.values() for ending in endings],
        accept_multiple_files=True,
        max_upload_size=limits.megabytes,
        key=key,
        help=f"PDF, or a picture as PNG or JPEG: at most {limits.count} with one message, "
        f"each of at most {limits.megabytes} MB.",
    )
    return chosen


def taken(chosen: Sequence[UploadedFile]) -> Sequence[Upload]:
    """What was chosen, as the bank takes it."""
    return [Upload(name=file.name, content=file.getvalue()) for file in chosen]


def draw(
    files: Sequence[FileCard],
    fetch: Callable[[Desk, int], bytes],
    *,
    permission: Permission,
    key: str,
) -> None:
    """A button for each file, whose bytes `fetch` reads when it is clicked."""
    for file in files:
        if file.is_here:
            _button(file, fetch, permission, f"{key}_{file.id}")
        else:
            st.warning(
                words.plain(
                    f"The file {file.name} is missing in the bank's store. "
                    "Tell the head office: a backup has it."
                )
            )


def _button(
    file: FileCard, fetch: Callable[[Desk, int], bytes], permission: Permission, key: str
) -> None:
    ui.download(
        words.plain(f"{file.name} ({size_of(file.size)})"),
        lambda asking: fetch(asking, file.id),
        permission=permission,
        file_name=file.name,
        mime=MIME[file.kind],
        key=key,
    )


def size_of(size: int) -> str:
    """Bytes in the unit that people know from their own devices."""
    if size < 1024:
        return f"{size} bytes"
    if size < 1024 * 1024:
        return f"{size / 1024:.0f} KB"
    return f"{size / 1024 / 1024:.1f} MB"
