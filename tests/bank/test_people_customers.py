"""Customers: numbered by the bank, seen by their own branch, let into the portal with paper."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from stdnum import damm

from bank.core.desk import Bank, chunk
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import GRANTS, Permission, Role
from bank.people import customers, fields
from bank.people.attempts import SignInStatus
from bank.people.branches import NoSuchBranch
from bank.people.customers import AccessGiven, Customer, NewCustomer, NoSuchCustomer, PanTaken
from bank.people.identity import User
from tests.support import people
from tests.support.bank import desk
from tests.support.people import OUR_IFSC, Somebody

pytestmark = [
    pytest.mark.usefixtures("cheap_bcrypt"),
    pytest.mark.feature("A1.14", "B8"),
]
BORN = date(1990, 5, 17)


def test_a_customer_gets_a_number_that_checks_itself(bank: Bank) -> None:
    here = people.branch_id(bank)
    banker = desk(bank, Role.BANKER, branch_id=here)
    asha = customers.add_customer(
        banker, " Asha  Rao ", BORN, " abcpr1234e ", "asha@example.com", "98765 43210"
    )
    assert (asha.name, asha.pan, asha.mobile) == ("Asha Rao", "ABCxxxx34E", "+919876543210")
    assert asha.branch_id == here
    assert len(asha.number) == 9
    assert damm.is_valid(asha.number)
    ravi = customers.add_customer(banker, "Ravi", BORN)
    assert ravi.number != asha.number
    assert customers.find_customer(banker, asha.number) == asha
    [first, _] = people.trail(bank, "people.customers.add_customer")
    assert first[:3] == ("done", "customer", str(asha.id))


def test_a_desk_of_the_whole_bank_names_the_branch(sqlite_bank: Bank) -> None:
    people.branch_id(sqlite_bank)
    office = desk(sqlite_bank, Role.SYSTEM)
    with pytest.raises(BadInput) as refused:
        customers.add_customer(office, "Asha", BORN)
    assert refused.value.field == "ifsc"
    assert customers.add_customer(office, "Asha", BORN, ifsc=OUR_IFSC).name == "Asha"


def test_a_branch_adds_and_sees_its_own_customers_only(bank: Bank) -> None:
    here, there = people.branch_id(bank), people.branch_id(bank, "BANK0000002")
    banker, colleague = (desk(bank, Role.BANKER, branch_id=key) for key in (here, there))
    asha = customers.add_customer(banker, "Asha", BORN, email="asha@example.com")
    with pytest.raises(NoSuchBranch):
        customers.add_customer(banker, "Ravi", BORN, ifsc="BANK0000002")
    with pytest.raises(NoSuchCustomer):
        customers.find_customer(colleague, asha.number)
    with pytest.raises(NoSuchCustomer):
        customers.give_portal_access(colleague, asha.id)
    auditor = desk(bank, Role.AUDITOR, branch_id=there)
    assert customers.find_customer(auditor, asha.number) == asha


@pytest.mark.feature("B5")
def test_looking_at_a_customer_is_recorded(bank: Bank) -> None:
    banker = desk(bank, Role.BANKER, branch_id=people.branch_id(bank))
    asha = customers.add_customer(banker, "Asha", BORN)
    for _ in range(3):
        customers.find_customer(banker, asha.number)
    [row] = people.trail(bank, "people.customers.find_customer")
    assert row[:3] == ("read", "customer", str(asha.id))


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "A\x00B"}, "name"),
        ({"date_of_birth": date(2026, 3, 17)}, "date_of_birth"),
        ({"date_of_birth": date(1491, 1, 1)}, "date_of_birth"),
        ({"pan": "ABCPR1234"}, "pan"),
        ({"pan": "ABCXR1234E"}, "pan"),
        ({"pan": "ABCKR1234E"}, "pan"),
        ({"pan": "ABCPR0000E"}, "pan"),
        ({"pan": "ABCPR12345"}, "pan"),
        ({"email": "asha"}, "email"),
        ({"email": "asha@example.com, other@example.com"}, "email"),
        ({"mobile": "12345"}, "mobile"),
        ({"mobile": "nine eight seven"}, "mobile"),
    ],
)
def test_each_field_is_checked(sqlite_bank: Bank, facts: dict[str, object], field: str) -> None:
    banker = desk(sqlite_bank, Role.BANKER, branch_id=people.branch_id(sqlite_bank))
    asked: dict[str, object] = {"name": "Asha", "date_of_birth": BORN} | facts
    with pytest.raises(BadInput) as refused:
        customers.add_customer(banker, **asked)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert people.count(sqlite_bank, "customers") == 0


@pytest.mark.parametrize("holder", "ABCFGHJLPT")
def test_every_kind_of_holder_has_a_pan(holder: str) -> None:
    assert fields.clean_pan(f"abc{holder.lower()}r1234e") == f"ABC{holder}R1234E"


def test_empty_fields_are_nothing() -> None:
    assert (fields.clean_pan(" "), fields.clean_email(""), fields.clean_mobile(None)) == (None,) * 3
    assert (fields.masked_pan(None), fields.masked_email(None)) == ("", "")


def test_a_pan_belongs_to_one_customer(bank: Bank) -> None:
    banker = desk(bank, Role.BANKER, branch_id=people.branch_id(bank))
    customers.add_customer(banker, "Asha", BORN, "ABCPR1234E")
    with pytest.raises(PanTaken) as refused:
        customers.add_customer(banker, "Asha again", BORN, "abcpr1234e")
    assert refused.value.field == "pan"
    for name in ("Ravi", "Meera"):  # many may have none
        customers.add_customer(banker, name, BORN)

    def behind_the_verb() -> None:
        with chunk(desk(bank, Role.SYSTEM), "test.write") as tx:
            row = tx.session.scalars(select(Customer).where(Customer.pan.is_(None))).first()
            assert row is not None
            row.pan = "ABCPR1234E"
            tx.session.flush()

    with pytest.raises(IntegrityError):
        behind_the_verb()


def test_many_at_once_keep_their_order_and_skip_numbers_that_were_brought_along(
    bank: Bank,
) -> None:
    here = people.branch_id(bank)
    names = [f"Customer {index}" for index in range(50)]
    new = [NewCustomer(name=name, date_of_birth=BORN, branch_id=here) for name in names]
    with chunk(desk(bank, Role.SYSTEM), "test.write") as tx:
        [first] = customers.add_customer_rows(tx, new[:1])
        # An imported customer whose former bank gave them what would be our number 3 from here.
        tx.session.add(
            Customer(
                number=customers.number_of(first + 4),
                name="From elsewhere",
                date_of_birth=BORN,
                branch_id=here,
                created_at=tx.now,
            )
        )
        tx.session.flush()
        ids = customers.add_customer_rows(tx, new[1:])
        made = [customers.customer_by_id(tx, key) for key in ids]
        assert [customer.name for customer in made] == names[1:]
        assert len({customer.number for customer in made}) == 49
        again = customers.add_customer_row(tx, new[0])
        assert again not in {first, *ids}


@given(st.integers(min_value=0, max_value=10**8), st.integers(0, 8), st.integers(0, 9))
def test_one_wrong_digit_or_two_swapped_are_noticed(key: int, place: int, digit: int) -> None:
    number = customers.number_of(key)
    wrong = number[:place] + str(digit) + number[place + 1 :]
    assert wrong == number or not damm.is_valid(wrong)
    swapped = number[:place] + number[place : place + 2][::-1] + number[place + 2 :]
    assert swapped == number or not damm.is_valid(swapped)


@pytest.mark.feature("A1.4")
def test_portal_access_splits_what_is_needed_between_paper_and_mail(bank: Bank) -> None:
    banker = desk(bank, Role.BANKER, branch_id=people.branch_id(bank))
    asha = customers.add_customer(banker, "Asha Rao", BORN, email="asha@example.com")
    access = customers.give_portal_access(banker, asha.id)
    assert access.username == asha.number
    somebody = Somebody(access.user_id, access.username, access.temporary_password.reveal())
    [mail] = people.mails(bank, somebody)
    assert access.username in mail.body
    assert access.temporary_password.reveal() not in mail.body
    step = people.enter_password(bank, somebody)
    assert step.due is SignInStatus.CODE_DUE
    with pytest.raises(AccessGiven):
        customers.give_portal_access(banker, asha.id)
    assert customers.find_customer(banker, asha.number).username == access.username


def test_portal_access_needs_an_address(sqlite_bank: Bank) -> None:
    banker = desk(sqlite_bank, Role.BANKER, branch_id=people.branch_id(sqlite_bank))
    asha = customers.add_customer(banker, "Asha Rao", BORN)
    with pytest.raises(BadInput) as refused:
        customers.give_portal_access(banker, asha.id)
    assert refused.value.field == "email"
    with pytest.raises(NoSuchCustomer):
        customers.give_portal_access(banker, asha.id + 1)


def test_a_brought_along_number_that_is_no_user_name_gets_one(sqlite_bank: Bank) -> None:
    here = people.branch_id(sqlite_bank)
    with chunk(desk(sqlite_bank, Role.SYSTEM), "test.write") as tx:
        for number in ("7", "KUNDE-4711", "№ 12 (old)"):
            row = Customer(
                number=number, name="Asha", date_of_birth=BORN, branch_id=here, created_at=tx.now
            )
            tx.session.add(row)
            tx.session.flush()
            customers.add_access_row(tx, row, password_hash="x")
        names = tx.session.scalars(select(User.username).order_by(User.id)).all()
    assert names == ["system", "customer-1", "kunde-4711", "customer-3"]


@pytest.mark.parametrize("role", list(Role))
def test_who_adds_and_who_sees_customers(sqlite_bank: Bank, role: Role) -> None:
    at = desk(sqlite_bank, role, branch_id=people.branch_id(sqlite_bank))
    known = customers.add_customer(desk(sqlite_bank, Role.SYSTEM), "X", BORN, ifsc=OUR_IFSC)
    if Permission.CUSTOMER_ADD in GRANTS[role]:
        customers.add_customer(at, "Asha", BORN)
    else:
        with pytest.raises(NotAllowed):
            customers.add_customer(at, "Asha", BORN)
    if Permission.CUSTOMER_VIEW in GRANTS[role]:
        customers.find_customer(at, known.number)
    else:
        with pytest.raises(NotAllowed):
            customers.find_customer(at, known.number)
