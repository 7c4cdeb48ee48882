"""One employee, as their admin sees and changes them: the forms of pages/admin/employees.py."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.errors import BadInput
from bank.core.permissions import WHOLE_BANK, NamedGrant, Role
from bank.office import performance, scores
from bank.people import branches, grants, leaving, limits, staff, staff_list
from bank.people.named_grants import GrantCard
from bank.people.staff_list import MANAGED_BY, EmployeeCard, HistoryLine
from pages.parts import banks_here, forms, tables, ui, waiting, words, work
from pages.parts import limits as limits_shown
from pages.parts.forms import Slip, Step
from pages.parts.tables import Kind, column

LABELS: Final = {
    "branch": "Branch",
    "colleague": "Who takes over",
    "customer": "Customer number",
    "email": "E-mail",
    "name": "Full name",
    "reason": "Reason",
    "role": "Role",
    "named": "Grant",
    "username": "User name",
    "valid_from": "First day",
    "valid_to": "Last day",
}
GRANT_DAYS: Final = 3650  # how far ahead a form offers days; an end may be left open
FIGURE: Final = 165  # pixels: two stand side by side on a phone
NARROW: Final = 560  # pixels: an input is no wider than what belongs into it


def details(_desk: Desk, card: EmployeeCard) -> None:
    """What there is to know at a glance."""
    tables.facts(
        {
            "User name": card.username,
            "E-mail": card.email or "",
            "Role": words.role_name(card.role),
            "Branch": card.branch or "Head office",
            "Added": words.moment(card.added_at),
            "Last sign-in": words.moment(card.last_sign_in_at),
            "Signed in": words.counted(card.open_sessions, "browser"),
            "Device for codes": "set up" if card.has_device else "none yet",
            "Given by name": ", ".join(words.sentence(each.value) for each in card.grants),
            "In hand": in_words(card.in_hand) or "nothing",
            "Stands against leaving": " ".join(card.against) or "nothing",
        }
    )


def edit(desk: Desk, card: EmployeeCard) -> None:
    """Name and mail address."""
    with st.form(f"employee_edit_{card.id}", border=False):
        name = st.text_input(LABELS["name"], card.name, key=f"employee_name_{card.id}")
        email = st.text_input(
            LABELS["email"],
            card.email or "",
            key=f"employee_email_{card.id}",
            help="The old address is told, too.",
        )
        asked = st.form_submit_button("Save changes", type="primary")
    if asked:
        with waiting.attempt(f"The data of {card.name} were changed.", labels=LABELS):
            staff.edit_employee(desk, card.id, name, email)


def role(desk: Desk, card: EmployeeCard) -> None:
    """Role and branch."""
    st.caption("It counts at their next click. Nobody loses their history by it.")
    with st.form(f"employee_role_{card.id}", border=False):
        chosen = role_input(desk, key=f"employee_role_to_{card.id}", now=card.role)
        ifsc = branch_input(desk, key=f"employee_branch_to_{card.id}", now=card.branch_id)
        asked = st.form_submit_button("Change role", type="primary")
    if asked:
        with waiting.attempt(f"The role of {card.name} was changed.", labels=LABELS):
            staff.change_role(desk, card.id, chosen, ifsc)


def named(desk: Desk, card: EmployeeCard) -> None:
    """Grants by name: those there are, each with its end, and a new one."""
    for grant in [each for each in grants.grants(desk) if each.user_id == card.id]:
        with st.container(border=True):
            st.markdown(
                f"**{words.plain(words.sentence(grant.named.value))}** {words.badge(grant.state)}  "
                f"\n{days(grant)}, by {words.plain(grant.given_by)}: {words.plain(grant.reason)}"
            )
            with st.form(f"grant_end_{grant.id}", border=False):
                why = st.text_input("Reason to end it", key=f"grant_why_{grant.id}", max_chars=200)
                ended = st.form_submit_button("End grant")
            if ended:
                with ui.attempt("The grant is ended.", labels={"reason": "Reason to end it"}):
                    grants.end_grant(desk, grant.id, why)
    st.caption("For as long as somebody is away, or until it is ended. It counts on its days only.")
    today = desk.bank.clock.business_date()
    furthest = today + timedelta(days=GRANT_DAYS)
    with st.form(f"grant_new_{card.id}", border=False):
        chosen = st.selectbox(
            LABELS["named"],
            list(NamedGrant),
            format_func=lambda each: words.sentence(each.value),
            key=f"grant_new_named_{card.id}",
        )
        first = forms.day_input(
            LABELS["valid_from"], today, first=today, last=furthest, key=f"grant_new_from_{card.id}"
        )
        last = forms.day_input(
            LABELS["valid_to"],
            first=today,
            last=furthest,
            key=f"grant_new_to_{card.id}",
            help="Leave it empty for a grant that counts until it is ended.",
        )
        reason = st.text_input(LABELS["reason"], key=f"grant_new_reason_{card.id}", max_chars=200)
        asked = st.form_submit_button("Give grant", type="primary")
    if asked:
        done = f"{card.name} was given the grant."
        key = f"grant_new_reason_{card.id}"
        with waiting.attempt(done, labels=LABELS, then=lambda: forms.forget(key)):
            if first is None:
                raise BadInput("Choose the day from which it counts.", field="valid_from")
            grants.give_grant(desk, card.id, chosen, first, last, reason)


def days(grant: GrantCard) -> str:
    """`16 Mar 2026 to 20 Mar 2026`."""
    until = words.day(grant.valid_to) if grant.valid_to else "further notice"
    return f"{words.day(grant.valid_from)} to {until}"


def own_limits(desk: Desk, card: EmployeeCard) -> None:
    """Above which amounts their cash payments wait for a second person, now and from when on."""
    cards = limits.limits_of(desk, card.id)
    steps = [step for each in cards for step in each.steps]
    if not steps and not any(each.is_at_counter for each in cards):
        ui.empty("They have no limits.", "Limits are for employees who take and pay cash.")
        return
    key = f"employee_limit_{card.id}"
    st.caption("Above it a payment of cash, on one account and day, waits for a second person.")
    limits_shown.of_employee(cards, key=f"{key}_now")
    if card.may_change:
        typed = limits_shown.form(desk, limits_shown.OF_EMPLOYEE, key=key)
        if typed is not None:
            done = f"The limit of {card.name} was set."
            labels = limits_shown.LABELS
            with waiting.attempt(done, labels=labels, then=lambda: forms.forget(f"{key}_")):
                limits.set_limit(
                    desk,
                    card.id,
                    typed.what,
                    typed.effective_from,
                    typed.amount_minor,
                    typed.reason,
                )
    limits_shown.before(steps, limits_shown.OF_EMPLOYEE, key=f"{key}_before")


def access(desk: Desk, card: EmployeeCard) -> None:
    """Password and device."""
    has_password = card.state != "invited"
    st.write(
        "A reset voids the password, ends their sessions, and mails them alone a link to a new one."
        if has_password
        else "They have not chosen a password yet. A new link voids the one before."
    )
    action = "Reset password" if has_password else "Send another link"
    if st.button(action, type="primary", key=f"employee_password_{card.id}"):
        with waiting.attempt(f"A link is on its way to {card.email}."):
            staff.reset_password(desk, card.id)
    if card.has_device:
        st.write("A lost device is forgotten; the next sign-in sets up another one.")
        if st.button("Reset device", key=f"employee_device_{card.id}"):
            with waiting.attempt(f"The device of {card.name} was forgotten."):
                staff.reset_device(desk, card.id)


def history(desk: Desk, card: EmployeeCard) -> None:
    """What was done about this employee."""
    history_table(staff_list.employee_history(desk, card.id), key=f"employee_history_{card.id}")


def done(desk: Desk, card: EmployeeCard) -> None:
    """What this employee did, as they see it themselves."""
    work.figures(
        desk,
        lambda start, end: performance.work_of(desk, card.id, start, end),
        lambda start, end: scores.scores_of(desk, card.id, start, end),
        key=f"employee_work_{card.id}",
    )


def history_table(lines: Sequence[HistoryLine], *, key: str) -> None:
    """What was done about somebody, as the trail has it."""
    if not lines:
        ui.empty("Nothing was done about them yet.", "What is changed will be listed here.")
        return
    tables.show(
        lines,
        [
            column("When", "at", Kind.MOMENT, key=True),
            column("What", "sentence", key=True),
            column("By", "by"),
            column("Outcome", "outcome", Kind.STATE),
            column("Changes", lambda line: _changes(line.changes)),
            column("Reason", "reason"),
        ],
        key=key,
        file_name="history.csv",
    )


def remove(desk: Desk, card: EmployeeCard) -> None:
    """The wizard by which an employee leaves: what stands against it, who takes over, confirm."""
    slip: Slip[tuple[str, int | None, str], None] = Slip("employee_remove", card.id)
    if card.against:
        st.warning(words.plain(" ".join(card.against)), icon=":material/front_hand:")
        st.caption("Settle this first. Until then they cannot be removed.")
        return
    if slip.step is Step.FILL:
        _fill_remove(desk, card, slip)
        return
    reason, colleague_id, colleague = slip.draft
    if forms.confirm(
        slip,
        title=f"Remove {words.plain(card.name)}?",
        facts={
            "Signed in": f"{words.counted(card.open_sessions, 'browser')}, signed out at once",
            "In hand": in_words(card.in_hand) or "nothing",
            "Who takes over": colleague,
            "History": "stays",
            "Reason": reason,
        },
        action="Remove employee",
    ):
        with ui.attempt(f"{card.name} was removed and cannot sign in any more.", labels=LABELS):
            leaving.remove_employee(desk, card.id, reason, colleague_id)
            slip.clear()


def _fill_remove(
    desk: Desk, card: EmployeeCard, slip: Slip[tuple[str, int | None, str], None]
) -> None:
    st.write("Their sessions end at once, and they cannot sign in again. Their history stays.")
    names: dict[int, str] = {}
    if card.in_hand:
        names = {
            each.id: f"{each.name} ({words.role_name(each.role)})"
            for each in staff_list.employees(desk)
            if each.branch_id == card.branch_id and each.id != card.id and each.state == "active"
        }
        st.info(words.plain(f"They have in hand: {in_words(card.in_hand)}."))
    colleague_id: int | None = None
    if names:
        colleague_id = st.selectbox(
            LABELS["colleague"],
            [None, *names],
            format_func=lambda id: names.get(id, "Choose a colleague"),
            key=slip.field("colleague"),
            persist_state="page",
        )
    reason = st.text_input(
        LABELS["reason"], key=slip.field("reason"), max_chars=200, persist_state="page"
    )
    if st.button("Go on", type="primary", key=slip.field("go_on")):
        if card.in_hand and colleague_id is None:
            st.error("**Who takes over:** Choose a colleague.")
        elif not reason.strip():
            st.error("**Reason:** Say why they leave.")
        else:
            slip.preview((reason, colleague_id, names.get(colleague_id or 0, "nobody")))


def role_input(desk: Desk, *, key: str, now: Role | None = None) -> Role:
    """The roles that this desk may give."""
    offered = [each for each in Role if each in MANAGED_BY.get(desk.role, ())]
    at = offered.index(now) if now in offered else 0
    return st.selectbox(LABELS["role"], offered, index=at, format_func=words.role_name, key=key)


def branch_input(desk: Desk, *, key: str, now: int | None = None) -> str | None:
    """The branch, asked only of who sees the whole bank; None for one's own, or for head office."""
    if not desk.sees_whole_bank:
        return None
    cards = {card.ifsc: card for card in branches.branches(desk)}
    offered: list[str] = ["", *cards]
    at = next((i for i, ifsc in enumerate(offered) if ifsc and cards[ifsc].id == now), 0)
    whole = " and ".join(sorted(words.role_name(each).lower() for each in WHOLE_BANK & set(Role)))
    chosen: str = st.selectbox(
        LABELS["branch"],
        offered,
        index=at,
        format_func=lambda ifsc: f"{cards[ifsc].name} ({ifsc})" if ifsc else "Head office",
        key=key,
        help=f"Head office is for these roles: {whole}.",
    )
    return chosen or None


def in_words(in_hand: Mapping[str, int]) -> str:
    """`3 claimed items, 1 paper`."""
    return ", ".join(words.counted(count, noun) for noun, count in in_hand.items())


def _changes(changes: Sequence[tuple[str, str, str]]) -> str:
    return "; ".join(
        f"{words.sentence(name)}: {before or 'none'} to {after or 'none'}"
        for name, before, after in changes
    )


Draw = Callable[[Desk, EmployeeCard], None]
# What can be done with an employee whom this desk has in hand; the rest are for everybody to read.
CHANGES: Final[Mapping[str, Draw]] = {
    "Edit": edit,
    "Role and branch": role,
    "Named grants": named,
    "Password and device": access,
    "Remove": remove,
}
READS: Final[Mapping[str, Draw]] = {
    "Details": details,
    "Limits": own_limits,
    "Own accounts": banks_here.of_employee,
    "History": history,
    "Work": done,
}
WIDE: Final = (
    own_limits,
    banks_here.of_employee,
    history,
    done,
)  # tables, which take the room there is
