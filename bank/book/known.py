"""Who books, and where: the users and branches that an entry may name.

They live on the floor above, so they are asked for by number alone. Neither is ever deleted (a
trigger sees to it), so a process remembers those it has met, and a posting asks nothing. It may
remember one whose transaction was rolled back; the database refuses the entry then.
"""

from collections.abc import Set as AbstractSet

from bank.book.drafts import UnknownBranch, UnknownPoster, actor_of
from bank.core.db import marks
from bank.core.desk import Tx


def check_poster(tx: Tx) -> int:
    """The user who posts, or NobodyPosts, or UnknownPoster."""
    user_id = actor_of(tx)
    known: set[int] = tx.bank.db.memo.setdefault("users", set())
    if user_id not in known:
        tx.cursor.execute(marks(tx.dialect, "SELECT id FROM users WHERE id = ?"), (user_id,))
        if tx.cursor.fetchone() is None:
            raise UnknownPoster
        known.add(user_id)
    return user_id


def check_branches(tx: Tx, branch_ids: AbstractSet[int]) -> None:
    """Refuse branches that there are not (UnknownBranch); all of them are asked for at once."""
    known: set[int] = tx.bank.db.memo.setdefault("branches", set())
    if not branch_ids <= known:
        tx.cursor.execute("SELECT id FROM branches")
        known.update(row[0] for row in tx.cursor.fetchall())
        if not branch_ids <= known:
            raise UnknownBranch
