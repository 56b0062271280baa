"""What runs with the owner's rights looks into the owner's schema first, and a comment that was not true."""

from alembic import op

revision = "0005"
down_revision = "0004"

# Where pg_temp is not named it comes first: a role that may make temporary tables, as by default each may,
# could put a `transitions` of its own there, with a trigger that runs as the schema's owner.
SEARCH_PATHS = """
ALTER FUNCTION record_submits() SET search_path = public, pg_temp;
ALTER FUNCTION record_transitions() SET search_path = public, pg_temp;
ALTER FUNCTION fold_job_totals(integer) SET search_path = public, pg_temp;
"""

COMMENTS = """
COMMENT ON COLUMN predictions.features IS 'Rows of features, as submitted: [[5.1, 3.5, 1.4, 0.2], ...]';
"""


def upgrade() -> None:
    """Name the temporary schema, last, and say in which order rows are."""
    for statements in (SEARCH_PATHS, COMMENTS):
        op.execute(statements)
