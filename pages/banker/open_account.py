"""Take in a customer, or find one, and open an account for them."""

from datetime import date

import streamlit as st

from bank.accounts import accounts, products
from bank.accounts.accounts import AccountCard
from bank.accounts.products import ProductInForce
from bank.core import money
from bank.core.errors import BadInput, BankError
from bank.core.permissions import Permission
from bank.people import customers
from bank.people.customers import CustomerCard
from bank.people.identity import NewAccess
from pages.parts import forms, tables, ui, waiting, words
from pages.parts.forms import Slip, Step

desk = ui.enter(Permission.ACCOUNT_OPEN, title="Open an account")

LABELS = {
    "name": "Full name",
    "date_of_birth": "Date of birth",
    "pan": "PAN",
    "email": "E-mail",
    "mobile": "Mobile",
    "overdraft limit": "Overdraft limit",
}
CHOSEN = "account_for_customer"

slip: Slip[tuple[ProductInForce, int], AccountCard] = Slip("open_account")


def find_or_add() -> CustomerCard | None:
    """The customer the account is for; None while nobody is chosen."""
    number: str | None = st.session_state.get(CHOSEN)
    if number:
        return customers.find_customer(desk, number)
    known, new = st.tabs(["Customer of the bank", "New customer"])
    with known, st.form("open_account_find", border=False):
        typed = st.text_input("Customer number", key="open_account_find_number")
        if st.form_submit_button("Find customer", type="primary"):
            with ui.attempt(labels=LABELS):
                choose(customers.find_customer(desk, typed))
    with new:
        add()
    return None


def add() -> None:
    """The form of a new customer."""
    today = desk.bank.clock.business_date()
    with st.form("open_account_new", border=False):
        name = st.text_input(LABELS["name"], key="open_account_new_name")
        born = forms.day_input(
            LABELS["date_of_birth"],
            first=date(today.year - 120, 1, 1),
            last=today,
            key="open_account_new_born",
        )
        pan = st.text_input(
            LABELS["pan"], key="open_account_new_pan", help="Ten characters, e.g. ABCPE1234F."
        )
        email = st.text_input(
            LABELS["email"], key="open_account_new_email", help="Codes and advices go there."
        )
        mobile = st.text_input(LABELS["mobile"], key="open_account_new_mobile")
        if st.form_submit_button("Add customer", type="primary"):
            with ui.attempt(labels=LABELS):
                if born is None:
                    raise BadInput("Choose the date of birth.", field="date_of_birth")
                choose(
                    customers.add_customer(
                        desk, name, born, pan or None, email or None, mobile or None
                    )
                )


def choose(customer: CustomerCard) -> None:
    """Go on with this customer."""
    forms.forget("open_account_new")
    st.session_state[CHOSEN] = customer.number
    st.rerun()


def forget() -> None:
    """Back to choosing a customer."""
    slip.clear()
    st.session_state.pop(CHOSEN, None)
    st.session_state.pop("account_for_access", None)


def show_customer(customer: CustomerCard) -> None:
    """Who it is for, and what they have already."""
    with st.container(border=True):
        st.header(customer.name)
        tables.facts(
            {
                "Customer": customer.number,
                "Born": words.day(customer.date_of_birth),
                "PAN": customer.pan or "not given",
                "E-mail": customer.email or "not given",
                "Portal": f"user name {customer.username}" if customer.username else "no access",
            }
        )
        held = accounts.accounts_of(desk, customer.id)
        if held:
            st.caption(
                "Accounts: "
                + ", ".join(f"{card.product_name} {words.masked(card.number)}" for card in held)
            )
        waiting.banner(desk, "customer", str(customer.id))
        st.button("Another customer", on_click=forget, key="open_account_other", type="tertiary")


def fill() -> None:
    """Product and limit."""
    on_sale = products.products_in_force(desk)
    with st.container(border=True):
        chosen = st.selectbox(
            "Product",
            on_sale,
            format_func=lambda product: product.name,
            key=slip.field("product"),
        )
        st.caption(
            f"Minimum balance {money.show(chosen.minimum_balance_minor)}, interest "
            f"{chosen.interest_rate_bps / 100:.2f} % a year, overdraft up to "
            f"{money.show(chosen.overdraft_ceiling_minor)}. In force since "
            f"{words.day(chosen.effective_from)}."
        )
        limit = "0"
        if chosen.overdraft_ceiling_minor:
            limit = forms.amount_input(
                LABELS["overdraft limit"],
                key=slip.field("limit"),
                help="Leave it empty for none.",
            )
        if st.button("Preview", type="primary", key=slip.field("preview_button")):
            with ui.attempt(labels=LABELS):
                minor = money.parse(limit, field="overdraft limit") if limit.strip("0 ") else 0
                slip.preview((chosen, minor))


def preview(customer: CustomerCard) -> None:
    """What will be opened."""
    product, limit_minor = slip.draft
    if forms.confirm(
        slip,
        title="Open this account?",
        facts={
            "Holder": customer.name,
            "Product": product.name,
            "Minimum balance": money.show(product.minimum_balance_minor),
            "Interest": f"{product.interest_rate_bps / 100:.2f} % a year",
            "Overdraft limit": money.show(limit_minor),
        },
        action="Open account",
    ):
        with ui.attempt(labels=LABELS):
            slip.finish(
                accounts.open_account(desk, customer.id, product.code, slip.request_id, limit_minor)
            )


def done(customer: CustomerCard) -> None:
    """The number of the new account, and the way into the portal."""
    card = slip.receipt
    forms.receipt(
        slip,
        done=f"{card.product_name} opened for {card.holder}.",
        reference=card.number,
        facts={"Branch": f"{card.branch_name} ({card.ifsc})", "Balance": money.show_side(0)},
        another="Open another account",
    )
    access: NewAccess | None = st.session_state.get("account_for_access")
    if access is not None and access.username == customer.username:
        with st.container(border=True):
            st.success("The customer may use the portal. Hand this over; it is shown once.")
            st.code(
                f"User name: {access.username}\n"
                f"Temporary password: {access.temporary_password.reveal()}",
                language=None,
            )
    elif customer.username is None and st.button(
        "Give access to the portal", key="open_account_give"
    ):
        with ui.attempt(labels=LABELS):
            st.session_state["account_for_access"] = customers.give_portal_access(desk, customer.id)
            st.rerun()


try:
    customer = find_or_add()
except BankError as gone:  # another branch took the customer over, or the number is no more
    st.session_state.pop(CHOSEN, None)
    st.error(ui.refusal_text(gone, LABELS))
    customer = None
if customer is not None:
    show_customer(customer)
    if slip.step is Step.FILL:
        fill()
    elif slip.step is Step.PREVIEW:
        preview(customer)
    else:
        done(customer)
