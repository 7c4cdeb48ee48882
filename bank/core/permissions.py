"""Who may do what: roles, permissions, and the one table that joins them."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The eight roles of people, `guest` (not signed in) and `system` (import, worker, day end)."""

    CUSTOMER = "customer"
    CASHIER = "cashier"
    BANKER = "banker"
    EXECUTIVE = "executive"
    REVIEWER = "reviewer"
    BRANCH_ADMIN = "branch_admin"
    AUDITOR = "auditor"
    SUPER_ADMIN = "super_admin"
    GUEST = "guest"
    SYSTEM = "system"


STAFF: Final = frozenset(
    {
        Role.CASHIER,
        Role.BANKER,
        Role.EXECUTIVE,
        Role.REVIEWER,
        Role.BRANCH_ADMIN,
        Role.AUDITOR,
        Role.SUPER_ADMIN,
    }
)
# Everyone else at a desk sees only the branch or the customer the desk belongs to.
WHOLE_BANK: Final = frozenset({Role.AUDITOR, Role.SUPER_ADMIN, Role.SYSTEM})


class Permission(StrEnum):
    """One thing a role may do. The value is what the trail and the matrix show."""

    SIGN_IN = "sign_in:use"
    SESSION_KEEP = "session:keep"
    DOOR_KNOCK = "door:knock"
    DEMO_VIEW = "demo:view"
    OWN_ACCOUNTS_VIEW = "own_accounts:view"
    OWN_MONEY_SEND = "own_money:send"
    ACCOUNT_LOOK_UP = "account:look_up"
    ACCOUNT_OPEN = "account:open"
    CUSTOMER_ADD = "customer:add"
    CUSTOMER_VIEW = "customer:view"
    CASH_POST = "cash:post"
    RECEIPT_PRINT = "receipt:print"
    HOLD_PLACE = "hold:place"
    ENTRY_REVERSE = "entry:reverse"
    JOURNAL_VIEW = "journal:view"
    TRAIL_VIEW = "trail:view"
    TRIAL_BALANCE_VIEW = "trial_balance:view"
    INTEGRITY_VIEW = "integrity:view"
    BRANCH_MONEY_VIEW = "branch_money:view"
    REPORT_RUN = "report:run"
    BRANCH_LIST = "branch:list"
    BRANCH_ADD = "branch:add"
    STAFF_ADD = "staff:add"
    BOOK_IMPORT = "book:import"
    BOOK_EXPORT = "book:export"
    BOOK_SEAL = "book:seal"
    OUTBOX_DELIVER = "outbox:deliver"
    DEMO_SEED = "demo:seed"
    # Approvals.
    APPROVAL_VIEW = "approval:view"
    APPROVAL_DECIDE = "approval:decide"
    APPROVAL_EXPIRE = "approval:expire"
    # Vault and drawers.
    CASH_COUNT = "cash:count"
    VAULT_VIEW = "vault:view"
    VAULT_KEEP = "vault:keep"
    DRAWER_SUPERVISE = "drawer:supervise"
    BRANCH_CLOSE = "branch:close"
    SLIP_PREPARE = "slip:prepare"
    # Administration and accountability
    STAFF_VIEW = "staff:view"
    STAFF_MANAGE = "staff:manage"
    USER_VIEW = "user:view"
    USER_LOCK = "user:lock"
    GRANT_GIVE = "grant:give"
    BRANCH_EDIT = "branch:edit"
    RIGHTS_VIEW = "rights:view"
    CUSTOMER_VIEW_AS = "customer:view_as"
    OWN_WORK_VIEW = "own_work:view"
    # Work queues and tickets.
    WORK_DO = "work:do"
    WORK_LEAD = "work:lead"
    WORK_SWEEP = "work:sweep"
    TICKET_WORK = "ticket:work"
    TICKET_OWN = "ticket:own"
    TICKET_IMPORT = "ticket:import"
    ANNOUNCE = "announcement:make"
    TERMS_VIEW = "terms:view"
    TERMS_SET = "terms:set"
    # Limits of a branch; those of an employee are part of managing staff.
    LIMIT_SET = "limit:set"
    # The business calendar.
    CALENDAR_VIEW = "calendar:view"
    CALENDAR_KEEP = "calendar:keep"
    # Closing the book through a day.
    BOOK_CLOSE = "book:close"


P = Permission
_EVERYONE_SIGNED_IN = frozenset({P.SESSION_KEEP, P.DOOR_KNOCK, P.BRANCH_LIST, P.DEMO_VIEW})
_EVERY_EMPLOYEE = _EVERYONE_SIGNED_IN | {P.ACCOUNT_LOOK_UP}

GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.CUSTOMER: _EVERYONE_SIGNED_IN | {P.OWN_ACCOUNTS_VIEW, P.OWN_MONEY_SEND, P.RECEIPT_PRINT},
    Role.CASHIER: _EVERY_EMPLOYEE | {P.CASH_POST, P.RECEIPT_PRINT},
    Role.BANKER: _EVERY_EMPLOYEE | {P.ACCOUNT_OPEN, P.CUSTOMER_ADD, P.CUSTOMER_VIEW},
    Role.EXECUTIVE: _EVERY_EMPLOYEE | {P.CUSTOMER_VIEW},
    Role.REVIEWER: _EVERY_EMPLOYEE,
    Role.BRANCH_ADMIN: _EVERY_EMPLOYEE
    | {
        P.ACCOUNT_OPEN,
        P.CUSTOMER_ADD,
        P.CUSTOMER_VIEW,
        P.RECEIPT_PRINT,
        P.HOLD_PLACE,
        P.ENTRY_REVERSE,
        P.JOURNAL_VIEW,
        P.TRIAL_BALANCE_VIEW,
        P.BRANCH_MONEY_VIEW,
        P.REPORT_RUN,
    },
    # An auditor sees everything and moves nothing.
    Role.AUDITOR: _EVERY_EMPLOYEE
    | {
        P.CUSTOMER_VIEW,
        P.RECEIPT_PRINT,
        P.JOURNAL_VIEW,
        P.TRAIL_VIEW,
        P.TRIAL_BALANCE_VIEW,
        P.INTEGRITY_VIEW,
        P.BRANCH_MONEY_VIEW,
        P.REPORT_RUN,
        P.BOOK_EXPORT,
    },
    # A super admin configures the bank. They do not touch customers' money.
    Role.SUPER_ADMIN: _EVERY_EMPLOYEE
    | {
        P.JOURNAL_VIEW,
        P.TRIAL_BALANCE_VIEW,
        P.INTEGRITY_VIEW,
        P.BRANCH_MONEY_VIEW,
        P.REPORT_RUN,
        P.BRANCH_ADD,
    },
    Role.GUEST: frozenset({P.SIGN_IN, P.DOOR_KNOCK, P.DEMO_VIEW}),
    Role.SYSTEM: frozenset(
        {
            P.ACCOUNT_OPEN,
            P.CUSTOMER_ADD,
            P.BRANCH_LIST,
            P.BRANCH_ADD,
            P.STAFF_ADD,
            P.INTEGRITY_VIEW,
            P.BOOK_IMPORT,
            P.BOOK_EXPORT,
            P.BOOK_SEAL,
            P.OUTBOX_DELIVER,
            P.DEMO_SEED,
        }
    ),
}

# Approvals: every employee sees what they asked for; who may decide a case is the rule's own word.
for _role in STAFF:
    GRANTS[_role] |= {P.APPROVAL_VIEW}
for _role in (Role.REVIEWER, Role.BRANCH_ADMIN, Role.SUPER_ADMIN):
    GRANTS[_role] |= {P.APPROVAL_DECIDE}
GRANTS[Role.SYSTEM] |= {P.APPROVAL_EXPIRE}

# Vault and drawers. Custodian and supervisor: the branch admin, and whoever is named so.
_DRAWERS: Final[dict[Role, frozenset[Permission]]] = {
    Role.CUSTOMER: frozenset({P.SLIP_PREPARE}),
    Role.CASHIER: frozenset({P.CASH_COUNT}),
    Role.BRANCH_ADMIN: frozenset(
        {P.CASH_COUNT, P.VAULT_VIEW, P.VAULT_KEEP, P.DRAWER_SUPERVISE, P.BRANCH_CLOSE}
    ),
    Role.AUDITOR: frozenset({P.VAULT_VIEW}),
    Role.SUPER_ADMIN: frozenset({P.VAULT_VIEW}),
}
GRANTS.update({role: GRANTS[role] | more for role, more in _DRAWERS.items()})

# Administration and accountability. STAFF_ADD, with its temporary password, is the system's: people
# add people by an activation link, so that a second person can stand between asking and doing.
_ADMIN: Final = frozenset({P.STAFF_VIEW, P.STAFF_MANAGE, P.USER_VIEW, P.USER_LOCK, P.GRANT_GIVE})
_ADMINISTRATION: Final[dict[Role, frozenset[Permission]]] = {
    Role.EXECUTIVE: frozenset({P.CUSTOMER_VIEW_AS}),
    Role.BRANCH_ADMIN: _ADMIN | {P.CUSTOMER_VIEW_AS},
    Role.AUDITOR: frozenset({P.STAFF_VIEW, P.USER_VIEW, P.RIGHTS_VIEW}),
    Role.SUPER_ADMIN: _ADMIN | {P.BRANCH_EDIT, P.LIMIT_SET, P.RIGHTS_VIEW},
}
for _role in STAFF:
    GRANTS[_role] |= {P.OWN_WORK_VIEW} | _ADMINISTRATION.get(_role, frozenset())


class NamedGrant(StrEnum):
    """What is given to a person by name and for a time, whatever their role."""

    SUPERVISOR = "supervisor"
    VAULT_CUSTODIAN = "vault_custodian"


# What a named grant adds to the role, on its days and at the holder's branch.
NAMED_GRANTS: Final[dict[NamedGrant, frozenset[Permission]]] = {
    NamedGrant.SUPERVISOR: frozenset(
        {P.JOURNAL_VIEW, P.ENTRY_REVERSE, P.HOLD_PLACE, P.VAULT_VIEW, P.DRAWER_SUPERVISE}
    ),
    NamedGrant.VAULT_CUSTODIAN: frozenset(
        {P.BRANCH_MONEY_VIEW, P.REPORT_RUN, P.CASH_COUNT, P.VAULT_VIEW, P.VAULT_KEEP}
    ),
}

# All that somebody may who looks at a customer's portal on their behalf; and nothing is changed.
VIEWABLE: Final = frozenset(
    {P.OWN_ACCOUNTS_VIEW, P.BRANCH_LIST, P.TERMS_VIEW, P.TICKET_OWN, P.SLIP_PREPARE}
)


def is_granted(permission: Permission, role: Role, named: frozenset[NamedGrant]) -> bool:
    """Whether the role holds the permission, or one of the grants given by name."""
    return permission in GRANTS[role] or any(permission in NAMED_GRANTS[each] for each in named)


# Work queues: whoever decides something has a queue; who leads hands out the work of others.
for _role in STAFF - {Role.AUDITOR}:
    GRANTS[_role] |= {P.WORK_DO}
for _role in (Role.BRANCH_ADMIN, Role.SUPER_ADMIN):
    GRANTS[_role] |= {P.WORK_LEAD}
GRANTS[Role.SYSTEM] |= {P.WORK_SWEEP}

# Tickets: the customer's own, the desk that answers them, and up the line from there.
GRANTS[Role.CUSTOMER] |= {P.TICKET_OWN}
for _role in (Role.EXECUTIVE, Role.BRANCH_ADMIN, Role.SUPER_ADMIN):
    GRANTS[_role] |= {P.TICKET_WORK}
GRANTS[Role.SYSTEM] |= {P.TICKET_IMPORT}
for _role in (Role.BRANCH_ADMIN, Role.SUPER_ADMIN):
    GRANTS[_role] |= {P.ANNOUNCE}

# Rates, charges, policies and what is announced: everybody reads them, head office sets the terms.
for _role in (Role.CUSTOMER, *STAFF):
    GRANTS[_role] |= {P.TERMS_VIEW}
GRANTS[Role.SUPER_ADMIN] |= {P.TERMS_SET}
# The business calendar: every employee reads when the bank is open, who leads it keeps it.
for _role in STAFF:
    GRANTS[_role] |= {P.CALENDAR_VIEW}
for _role in (Role.BRANCH_ADMIN, Role.SUPER_ADMIN):
    GRANTS[_role] |= {P.CALENDAR_KEEP}
# Closing the book, and how far back imports go: head office; who sees the trial balance sees it.
GRANTS[Role.SUPER_ADMIN] |= {P.BOOK_CLOSE}
