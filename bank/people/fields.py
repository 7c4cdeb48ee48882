"""What people type about people: cleaned, or refused with the field's name."""

import re
from typing import Final

from stdnum.in_ import pan as pan_number

from bank.core import outbox
from bank.core.errors import BadInput

LONGEST_NAME: Final = 120
LONGEST_EMAIL: Final = 254
LONGEST_FROM_WHERE: Final = 64
LONGEST_AGENT: Final = 200
# The fourth letter is the kind of holder. Stricter than the check of stdnum, which knows one kind
# more; that one in turn knows that no number is 0000.
PAN: Final = re.compile(r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]")
_MOBILE: Final = re.compile(r"\+?[0-9]{10,15}")


def clean_text(text: str, *, field: str, longest: int, may_be_empty: bool = False) -> str:
    """One line for people: blanks made single, printable, not too long; or BadInput(field)."""
    line = " ".join(text.split())
    if not line and not may_be_empty:
        raise BadInput("This may not be empty.", field=field)
    if len(line) > longest:
        raise BadInput(f"At most {longest} characters fit here.", field=field)
    if not line.isprintable():
        raise BadInput("This holds characters that cannot be printed.", field=field)
    return line


def clean_name(text: str) -> str:
    """A person's name, or BadInput(name)."""
    return clean_text(text, field="name", longest=LONGEST_NAME)


def clean_email(text: str | None) -> str | None:
    """A mail address that the bank can write to, None when there is none, or BadInput(email)."""
    address = (text or "").strip()
    return outbox.clean_address(address) if address else None


def clean_mobile(text: str | None) -> str | None:
    """A telephone number as digits, None when there is none, or BadInput(mobile).

    Ten digits are taken as a number in India.
    """
    number = re.sub(r"[\s().-]", "", text or "")
    if not number:
        return None
    if not _MOBILE.fullmatch(number):
        raise BadInput(
            "A mobile number has ten digits, or a + and the country in front.", field="mobile"
        )
    return f"+91{number}" if len(number) == 10 else number


def clean_pan(text: str | None) -> str | None:
    """A PAN in capitals, None when there is none, or BadInput(pan).

    Five letters, the fourth of them the kind of holder; four digits, not all zero; a letter.
    """
    typed = (text or "").strip()
    if not typed:
        return None
    pan: str = pan_number.compact(typed)
    if not (PAN.fullmatch(pan) and pan_number.is_valid(pan)):
        raise BadInput(
            "A PAN has five letters, four digits and a letter, such as ABCPD1234E.", field="pan"
        )
    return pan


def masked_pan(pan: str | None) -> str:
    """A PAN as screens show it: the ends only, or nothing."""
    return f"{pan[:3]}xxxx{pan[-3:]}" if pan else ""


def masked_mobile(number: str | None) -> str:
    """A telephone number as somebody recognises their own: the last three digits, or nothing."""
    return f"xxxxxxx{number[-3:]}" if number else ""


def masked_email(address: str | None) -> str:
    """A mail address as somebody recognises their own: a***@example.com, or nothing."""
    if not address:
        return ""
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"
