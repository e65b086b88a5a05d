"""What the database itself refuses: foreign accounts' rows, and changes of the record."""

from collections.abc import Iterable

from alembic import op
from sqlalchemy import text

PEOPLE = frozenset({"membership", "membership_role", "unit", "account"})
"""Tables that tell a person who has not chosen yet which memberships there are."""

# Subqueries, so that PostgreSQL reads the settings once for a statement and not for each row.
_ALL = "(select current_setting('app.all', true) = '1')"
_ACCOUNTS = (
    "any ((select string_to_array(nullif(current_setting('app.accounts', true), ''), ',')"
    "::bigint[])::bigint[])"
)
_PERSON = "(select nullif(current_setting('app.person', true), '')::bigint)"
_POLICIES = ("see", "add", "change", "remove")


def _own(column: str) -> str:
    """Return the values of a column over the person's own memberships, as a subquery."""
    return f"(select {column} from membership where person_id = {_PERSON})"  # noqa: S608 - constants


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def wall(
    table: str, *, column: str = "account_id", also: str = "", shared_when_null: bool = False
) -> None:
    """Force row-level security on a table: only rows of the transaction's accounts are seen.

    Args:
        column: Holds the account's id.
        also: A further condition that lets a row be read (not written).
        shared_when_null: Rows without an account are read by everybody.
    """
    if not _is_postgresql():
        return
    inside = f"{_ALL} or {column} = {_ACCOUNTS}"
    readable = " or ".join(
        part for part in (inside, also, f"{column} is null" if shared_when_null else "") if part
    )
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy see on {table} for select using ({readable})")
    op.execute(f"create policy add on {table} for insert with check ({inside})")
    op.execute(f"create policy change on {table} for update using ({inside}) with check ({inside})")
    op.execute(f"create policy remove on {table} for delete using ({inside})")


def wall_all(tables: Iterable[str]) -> None:
    """Force the plain policy on tables with an ``account_id``."""
    for table in tables:
        wall(table)


def wall_anew(*, shared: Iterable[str]) -> None:
    """Give every table that has a wall its policies again, as they are written now.

    Args:
        shared: Those whose rows without an account are read by everybody.
    """
    if not _is_postgresql():
        return
    walled = set(
        op.get_bind().scalars(
            text("select tablename from pg_policies where schemaname = current_schema()")
        )
    )
    for table in sorted(walled):
        for policy in _POLICIES:
            op.execute(f"drop policy {policy} on {table}")
    wall_people()
    for table in sorted(shared):
        wall(table, shared_when_null=True)
    wall_all(sorted(walled - PEOPLE - set(shared)))


def wall_people() -> None:
    """Let a person who has not chosen a membership yet read their own ones, and nothing else."""
    wall("membership", also=f"person_id = {_PERSON}")
    wall("membership_role", also=f"membership_id in {_own('id')}")
    wall("unit", also=f"id in {_own('unit_id')}")
    wall("account", column="id", also=f"id in {_own('account_id')}")


def freeze_record() -> None:
    """Refuse every change and removal of events."""
    if _is_postgresql():
        op.execute(
            "create function refuse_change() returns trigger language plpgsql as $$ begin"
            " raise exception 'the record is append-only'; end $$"
        )
        op.execute(
            "create trigger event_is_append_only before update or delete on event"
            " for each row execute function refuse_change()"
        )
        op.execute(
            "create trigger event_is_kept before truncate on event"
            " for each statement execute function refuse_change()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"create trigger event_no_{verb} before {verb} on event begin"
            " select raise(abort, 'the record is append-only'); end"
        )


def thaw_record() -> None:
    """Take back what `freeze_record` made."""
    if _is_postgresql():
        op.execute("drop trigger event_is_kept on event")
        op.execute("drop trigger event_is_append_only on event")
        op.execute("drop function refuse_change()")
        return
    for verb in ("update", "delete"):
        op.execute(f"drop trigger event_no_{verb}")


def unwall_people() -> None:
    """Take back the policies that read memberships, so that its table can go."""
    if _is_postgresql():
        for table in ("membership_role", "unit", "account"):
            op.execute(f"drop policy see on {table}")
