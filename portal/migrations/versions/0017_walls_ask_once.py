"""Walls read who is inside once for a statement; for each row it was most of a report."""

from portal.migrations.safety import wall_anew

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SHARED = ("assortment", "assortment_rule")


def upgrade() -> None:
    wall_anew(shared=SHARED)


def downgrade() -> None:
    """Leave the walls as they are: they keep out what they kept out before."""
