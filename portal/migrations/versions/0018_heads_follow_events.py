"""The head of an account's chain follows each event by itself."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TRIGGER = "event_moves_head"
FOLLOW = (
    "insert into event_head (account_id, sequence, hash)"
    " values (new.account_id, new.sequence, new.hash)"
    " on conflict (account_id) do update set sequence = excluded.sequence, hash = excluded.hash;"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "create function follow_event() returns trigger language plpgsql as"
            f" $$ begin {FOLLOW} return null; end $$"
        )
        op.execute(
            f"create trigger {TRIGGER} after insert on event"
            " for each row execute function follow_event()"
        )
        return
    op.execute(f"create trigger {TRIGGER} after insert on event begin {FOLLOW} end")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"drop trigger {TRIGGER} on event")
        op.execute("drop function follow_event()")
        return
    op.execute(f"drop trigger {TRIGGER}")
