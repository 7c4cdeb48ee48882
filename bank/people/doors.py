"""What happens at a door that is not open to the person who knocks: a record of it."""

from bank.core.desk import Desk, flow
from bank.core.errors import NotAllowed
from bank.core.permissions import Permission


class PageRefused(NotAllowed):
    """You may not open this page. Choose a page from the menu, or sign in with another role."""


@flow(Permission.DOOR_KNOCK)
def turn_away(desk: Desk, page: str, needed: str) -> None:
    """Refuse a page to somebody whose role may not open it, and write that to the trail.

    `page` is its title and `needed` the permission it asks for. Always raises PageRefused.
    """
    raise PageRefused
