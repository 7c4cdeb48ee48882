"""The command line: `python -m bank --help` lists every command with a sentence.

Each command opens the bank the settings name and calls one verb as the system.
What the bank refuses is told on stderr, with exit code 1.
"""

import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from bank import app as composition
from bank.core.config import Settings
from bank.core.desk import Bank, Desk
from bank.core.errors import BankError
from bank.core.permissions import STAFF, Role

app = typer.Typer(
    help="The bank's command line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
staff = typer.Typer(help="Employees.", no_args_is_help=True)
branch = typer.Typer(help="Branches.", no_args_is_help=True)
export = typer.Typer(help="Take the bank's data out.", no_args_is_help=True)
app.add_typer(staff, name="staff")
app.add_typer(branch, name="branch")
app.add_typer(export, name="export")
tickets = typer.Typer(help="Complaints and feedback.", no_args_is_help=True)
app.add_typer(tickets, name="tickets")

ROLES: Final = ", ".join(role.value for role in Role if role in STAFF)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Say what was refused in one line, and leave with 1."""
    try:
        yield
    except BankError as refused:
        field = f" ({refused.field})" if refused.field else ""
        typer.echo(f"Refused{field}: {refused}", err=True)
        raise typer.Exit(1) from refused
    except ValidationError as wrong:
        for error in wrong.errors():
            name = "BANK_" + "_".join(map(str, error["loc"])).upper()
            said = error["msg"].removeprefix("Value error, ").removeprefix(f"{name} ")
            typer.echo(f"{name}: {said}", err=True)
        raise typer.Exit(2) from wrong
    except ValueError as wrong:
        typer.echo(f"Refused: {wrong}", err=True)
        raise typer.Exit(2) from wrong


@contextmanager
def system() -> Iterator[Desk]:
    """The system's desk in the bank of the settings; refusals are told."""
    with refusals_told():
        bank = _opened()
        try:
            yield composition.system_desk(bank)
        finally:
            bank.db.close()


def _opened() -> Bank:
    """The bank of the settings; a database that cannot be reached is told in a sentence."""
    try:
        return composition.open_bank()
    except (DBAPIError, OSError) as trouble:
        reason = str(getattr(trouble, "orig", None) or trouble).strip().split("\n")[0]
        typer.echo(
            "The bank cannot be opened: its database or data directory cannot be reached. See "
            f"BANK_DATABASE_URL and BANK_DATA_DIR. ({reason})",
            err=True,
        )
        raise typer.Exit(1) from trouble


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError as wrong:
        raise typer.BadParameter("write the date as 2026-03-31") from wrong


@app.command()
def serve() -> None:
    """Serve the bank in the browser until told to stop."""
    from bank import web

    with refusals_told():
        bank = _opened()
        where = f"http://{bank.settings.host}:{bank.settings.port}"
        opened = f"The bank is open at {where} (Ctrl-C closes it)."
        web.serve(bank, lambda: typer.echo(opened, err=True))


@app.command()
def demo(
    as_of: Annotated[
        str | None, typer.Option(help="Business date of the demo, e.g. 2026-03-31; today without.")
    ] = None,
    customers: Annotated[int, typer.Option(help="How many customers it has.")] = 200,
) -> None:
    """Fill an empty database with the demo bank; does nothing where it, or a real bank, is."""
    from bank.night import demo as demo_bank

    if not Settings().demo:
        typer.echo("BANK_DEMO is false: no demo bank.", err=True)
        return
    with system() as desk:
        try:
            made = demo_bank.seed(
                desk, _day(as_of), customers, lambda line: typer.echo(line, err=True)
            )
        except demo_bank.HoldsARealBank:
            # No failure: `make run` serves the bank that is here, whichever it is.
            typer.echo("This database holds a real bank; no demo is made.", err=True)
        else:
            typer.echo(made.sentence, err=True)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema (every other command does so, too)."""
    with system() as desk:
        typer.echo(f"The {desk.bank.db.dialect} database has the newest schema.")


@branch.command("add")
def branch_add(
    ifsc: Annotated[str, typer.Option(help="IFSC, eleven characters.")],
    name: Annotated[str, typer.Option(help="Name of the branch.")],
    address: Annotated[str, typer.Option(help="Postal address.")] = "",
    micr: Annotated[str | None, typer.Option(help="MICR code, nine digits.")] = None,
) -> None:
    """Add a branch."""
    from bank.people import branches

    with system() as desk:
        made = branches.add_branch(desk, ifsc, name, address, micr)
        typer.echo(f"Branch {made.ifsc} {made.name} added.")


@staff.command("add")
def staff_add(
    role: Annotated[str, typer.Option(help=f"One of: {ROLES}.")],
    username: Annotated[str, typer.Option(help="User name to sign in with.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    email: Annotated[str, typer.Option(help="Mail address.")],
    branch: Annotated[
        str | None, typer.Option(help="IFSC of the branch; not for auditors and super admins.")
    ] = None,
) -> None:
    """Add an employee and print the temporary password once."""
    from bank.people import identity

    try:
        chosen = Role(role)
    except ValueError as wrong:
        raise typer.BadParameter(f"choose one of: {ROLES}", param_hint="--role") from wrong
    with system() as desk:
        made = identity.add_staff(desk, username, name, email, chosen, branch)
        if made.waits is not None:
            typer.echo(str(made.waits))
        typer.echo(f"User name: {made.username}")
        typer.echo(f"Temporary password (shown once): {made.temporary_password.reveal()}")


@app.command("import")
def import_(
    directory: Annotated[
        Path,
        typer.Argument(help="Folder with branches, customers, accounts and entries as .csv."),
    ],
    dry_run: Annotated[bool, typer.Option(help="Check and count; write nothing.")] = False,
    strict: Annotated[bool, typer.Option(help="All rows or none.")] = False,
    errors: Annotated[
        Path | None, typer.Option(help="File for the rows that were not taken.")
    ] = None,
) -> None:
    """Bring a bank's books in from CSV files."""
    from bank.night import import_files, import_report, imports

    with system() as desk:
        lengths = import_files.open_folder(directory).lines
        refusal: imports.StrictRefused | None = None
        try:
            with import_report.progress_bar(lengths, sys.stderr) as tell:
                report = imports.import_books(
                    desk, directory, dry_run=dry_run, strict=strict, errors=errors, tell=tell
                )
        except imports.StrictRefused as refused:
            report, refusal = refused.report, refused
        _print(sys.stdout, report.lines())
        if refusal is not None:
            raise refusal


@export.command("journal")
def export_journal(
    format: Annotated[str, typer.Option(help="hledger, beancount or csv.")] = "hledger",
    output: Annotated[Path | None, typer.Option(help="File to write; stdout without.")] = None,
) -> None:
    """Write the whole journal with balance assertions."""
    from bank.night import exports

    with system() as desk:
        if output is None:
            # In UTF-8 wherever it is run, and with the line ends as they are written.
            with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as out:
                exports.export_journal(desk, format, out)
            return
        exports.check_format(format)  # before a file is touched
        with _whole_or_not_there(output) as out:
            made = exports.export_journal(desk, format, out)
        typer.echo(
            f"{made.entries} entries, {made.postings} postings, {made.assertions} balance "
            f"assertions written to {output}",
            err=True,
        )


@contextmanager
def _whole_or_not_there(path: Path) -> Iterator[TextIO]:
    """A file that is written beside and then renamed: a broken-off one is never taken for whole."""
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as out:
            yield out
        os.replace(draft, path)
    except OSError as wrong:
        typer.echo(f"Refused: {path}: {wrong.strerror or wrong}. Name another file.", err=True)
        raise typer.Exit(1) from wrong
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@tickets.command("import")
def tickets_import(
    file: Annotated[Path, typer.Argument(help="CSV with text, category and maybe customer.")],
    customer: Annotated[
        list[str] | None,
        typer.Option(help="Number of a customer for rows without one; several take turns."),
    ] = None,
) -> None:
    """Open a ticket for each row of another system's file; the same file again adds nothing."""
    from bank.office import ticket_imports

    with system() as desk:
        done = ticket_imports.import_tickets(desk, file, customer or ())
        _print(sys.stderr, done.refused)
        typer.echo(done.sentence)


@app.command("publish-roots")
def publish_roots() -> None:
    """Write roots.txt anew in a data directory that lost it; the trail keeps that it was done."""
    from bank.book import roots

    with system() as desk:
        typer.echo(f"{roots.publish_again(desk)} roots written to {roots.roots_file(desk)}.")


@app.command()
def verify() -> None:
    """Seal the tail and run every integrity check; exit 1 when one fails."""
    from bank.night import integrity

    with system() as desk:
        results = integrity.verify(desk)
        _print(sys.stdout, [result.line for result in results])
        if not all(result.passed for result in results):
            raise typer.Exit(1)


def _print(out: TextIO, lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line, file=out)


def _commands_in_groups() -> str:
    """Every command inside a group with its sentence, for the bottom of the help. Keep it last."""
    lines = [
        f"{group.name} {command.name}: {inspect.getdoc(command.callback)}"
        for group in app.registered_groups
        if group.typer_instance is not None
        for command in group.typer_instance.registered_commands
        if command.callback is not None
    ]
    return "\n\n".join(["In groups:", *sorted(lines)])


app.info.epilog = _commands_in_groups()


if __name__ == "__main__":
    app()
