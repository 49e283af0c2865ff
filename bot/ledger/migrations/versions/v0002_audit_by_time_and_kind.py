"""Version 2: the audit is found by time and by kind, for pruning, exports and the newest record of a policy."""

from typing import Final

from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    op.create_index("audit_by_time", "audit", ["at"], if_not_exists=True)
    op.create_index("audit_by_kind", "audit", ["what", "seq"], if_not_exists=True)
