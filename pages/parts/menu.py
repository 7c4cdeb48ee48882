"""The menu: one table of every page, whom it is for, and where it lies.

A page appears for whoever holds its permission. Add a page by adding a row; its address is the
file's path in one flat word (`cashier/counter.py` is /cashier-counter), because Streamlit draws
nested addresses blank.
"""

from typing import Final, NamedTuple

from bank.core.desk import Desk
from bank.core.permissions import STAFF, Permission, Role

P = Permission
EVERYONE: Final = STAFF | {Role.CUSTOMER}


class Entry(NamedTuple):
    """One page. `icon` names a Material symbol (its font comes with Streamlit); `about` says in a
    sentence what the page is for, on the home page of employees."""

    section: str
    title: str
    file: str  # below pages/
    permission: Permission
    icon: str
    about: str
    roles: frozenset[Role] = EVERYONE  # narrower than the permission where a page is not for all
    front: bool = False  # the page of these roles that opens first
    only_in_a_demo: bool = False
    hidden: bool = False  # in no menu: a mail leads to its address

    @property
    def url_path(self) -> str:
        """The page's address."""
        return self.file.removesuffix(".py").replace("/", "-").replace("_", "-")

    def open_to(self, desk: Desk) -> bool:
        """Whether this person has the page in the menu."""
        if self.only_in_a_demo and not desk.bank.is_demo:
            return False
        return desk.role in self.roles and desk.may(self.permission)


_CUSTOMER: Final = frozenset({Role.CUSTOMER})

# Whoever has a kind of work to decide (the permissions in core/work_tables.KINDS).
_DECIDING: Final = frozenset({Role.EXECUTIVE, Role.REVIEWER, Role.BRANCH_ADMIN, Role.SUPER_ADMIN})

_GUESTS: Final = frozenset({Role.GUEST})

MENU: Final = (
    Entry("", "Home", "every/home.py", P.SESSION_KEEP, "home", "", STAFF, front=True),
    Entry("", "Home", "customer/home.py", P.OWN_ACCOUNTS_VIEW, "home", "", _CUSTOMER, front=True),
    Entry(
        "",
        "Send money",
        "customer/send_money.py",
        P.OWN_MONEY_SEND,
        "send",
        "To your own accounts, or to any account of the bank.",
    ),
    Entry(
        "",
        "Statement",
        "customer/statement.py",
        P.OWN_ACCOUNTS_VIEW,
        "receipt_long",
        "Any period of an account, to read or to download.",
    ),
    Entry(
        "",
        "Prepare a cash slip",
        "customer/prepare_slip.py",
        P.SLIP_PREPARE,
        "edit_note",
        "Fill in a slip for the counter before you come.",
    ),
    Entry(
        "",
        "Help",
        "customer/help.py",
        P.TICKET_OWN,
        "support_agent",
        "Write to the bank, and follow what becomes of it.",
    ),
    Entry(
        "",
        "Rates and charges",
        "every/tariff.py",
        P.TERMS_VIEW,
        "percent",
        "What the bank pays and asks, and what it promises.",
    ),
    Entry(
        "",
        "All announcements",
        "every/announcements.py",
        P.TERMS_VIEW,
        "breaking_news",
        "Everything that the bank announces today.",
    ),
    Entry(
        "Counter",
        "Cash counter",
        "cashier/counter.py",
        P.CASH_POST,
        "payments",
        "Pay cash in and out by slip.",
    ),
    Entry(
        "Counter",
        "My drawer",
        "cashier/drawer.py",
        P.CASH_POST,
        "point_of_sale",
        "Open, count and close your drawer, and move cash with the vault.",
    ),
    Entry(
        "Counter",
        "Open an account",
        "banker/open_account.py",
        P.ACCOUNT_OPEN,
        "person_add",
        "Take in a customer and open an account.",
    ),
    Entry(
        "Counter",
        "Find an account",
        "staff/find_account.py",
        P.ACCOUNT_LOOK_UP,
        "search",
        "An account by its number or by its holder's name, to read.",
    ),
    Entry(
        "Branch",
        "Inbox",
        "staff/inbox.py",
        P.WORK_DO,
        "inbox",
        "Everything that waits for you and your colleagues, the most pressing first.",
        _DECIDING,
    ),
    Entry(
        "Branch",
        "Approvals",
        "staff/approvals.py",
        P.APPROVAL_VIEW,
        "order_approve",
        "What needs a second person: to decide, asked for by you, decided.",
        STAFF,
    ),
    Entry(
        "Counter",
        "View as customer",
        "staff/view_as.py",
        P.CUSTOMER_VIEW_AS,
        "visibility",
        "See a customer's portal as they see it, to answer a question. They are told.",
    ),
    Entry(
        "Branch",
        "Canned replies",
        "staff/canned.py",
        P.TICKET_WORK,
        "quickreply",
        "Words for replies to customers: your own, and those that all use.",
    ),
    Entry(
        "Branch",
        "Announcements",
        "admin/announcements.py",
        P.ANNOUNCE,
        "campaign",
        "Tell customers and employees something, from a day to a day, by mail too.",
    ),
    Entry(
        "Branch",
        "Holidays",
        "admin/holidays.py",
        P.CALENDAR_VIEW,
        "event_busy",
        "The days on which the bank is closed, and its opening hours: what every deadline counts.",
        STAFF,
    ),
    Entry(
        "Branch",
        "Branch money",
        "admin/dashboard.py",
        P.BRANCH_MONEY_VIEW,
        "monitoring",
        "What the branch holds, and what came in and went out today.",
    ),
    Entry(
        "Branch",
        "Vault and drawers",
        "admin/vault.py",
        P.VAULT_VIEW,
        "account_balance_wallet",
        "Hand drawers over, take them back, and see where the cash lies.",
    ),
    Entry(
        "Branch",
        "Employees",
        "admin/employees.py",
        P.STAFF_VIEW,
        "badge",
        "Who works here, what they have in hand; add, edit and remove employees.",
    ),
    Entry(
        "Branch",
        "Employee performance",
        "admin/performance.py",
        P.STAFF_VIEW,
        "insights",
        "An employee by facts, for a period: the numbers they see themselves, and what is behind.",
    ),
    Entry(
        "Branch",
        "Users",
        "admin/users.py",
        P.USER_VIEW,
        "group",
        "Staff and customers: when they were last here; lock and unlock.",
    ),
    Entry(
        "Books",
        "Journal",
        "auditor/journal.py",
        P.JOURNAL_VIEW,
        "menu_book",
        "Every entry with its postings, found by what you know of it.",
    ),
    Entry(
        "Books",
        "Trial balance",
        "auditor/trial_balance.py",
        P.TRIAL_BALANCE_VIEW,
        "balance",
        "The general ledger by branch, as of any date.",
    ),
    Entry(
        "Books",
        "Book closing",
        "head_office/book_close.py",
        P.TRIAL_BALANCE_VIEW,
        "event_available",
        "Through which day the book is closed, by whom, and how far back imports go.",
    ),
    Entry(
        "Books",
        "Reports",
        "admin/reports.py",
        P.REPORT_RUN,
        "table_chart",
        "Every report as a table, a chart and a file, with the lines behind each row.",
    ),
    Entry(
        "Head office",
        "Branches",
        "head_office/branches.py",
        P.BRANCH_EDIT,
        "account_balance",
        "The branches of the bank: add one, edit one, see who leads it.",
    ),
    Entry(
        "Head office",
        "Set rates and charges",
        "head_office/terms.py",
        P.TERMS_SET,
        "percent",
        "Interest, charges and policies: from a day on, decided by two.",
    ),
    Entry(
        "Head office",
        "Rules",
        "head_office/rules.py",
        P.RULE_VIEW,
        "rule",
        "Limits, promises, hours, second persons: what is in force, what comes, who changed what.",
    ),
    Entry(
        "Control",
        "Permissions",
        "head_office/permissions.py",
        P.RIGHTS_VIEW,
        "lock_person",
        "Which role may do what; and who can do one thing, with names.",
    ),
    Entry(
        "Control",
        "Trail",
        "auditor/trail.py",
        P.TRAIL_VIEW,
        "footprint",
        "Who did what, when and from where, with what before and after.",
    ),
    Entry(
        "Control",
        "Integrity",
        "auditor/integrity.py",
        P.INTEGRITY_VIEW,
        "verified_user",
        "Run the checks that prove the books.",
    ),
    Entry(
        "You",
        "My work",
        "staff/my_work.py",
        P.OWN_WORK_VIEW,
        "checklist",
        "What you did, in the numbers your admin sees.",
    ),
    Entry(
        "You",
        "Security",
        "every/security.py",
        P.SESSION_KEEP,
        "shield_person",
        "Your passwords, your device for codes, and where you are signed in.",
    ),
    Entry(
        "",
        "Choose your password",
        "every/activate.py",
        P.SIGN_IN,
        "key",
        "What an activation link leads to.",
        _GUESTS,
        hidden=True,
    ),
    Entry(
        "Demo",
        "Demo mailbox",
        "demo/mailbox.py",
        P.DEMO_VIEW,
        "mail",
        "Every mail and every code of this demo bank.",
        EVERYONE | _GUESTS,
        only_in_a_demo=True,
    ),
)


def entries_for(desk: Desk) -> list[Entry]:
    """The rows of the menu this person sees, in order."""
    return [entry for entry in MENU if entry.open_to(desk)]


def entry_at(url_path: str) -> Entry | None:
    """The page at an address, whoever may see it."""
    return next((entry for entry in MENU if entry.url_path == url_path), None)
