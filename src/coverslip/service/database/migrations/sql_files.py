"""Revisions whose statements lie in an SQL file of the same name."""

from pathlib import Path

from alembic import context, op


def apply(revision_file: str) -> None:
    """Run the SQL file beside a revision; ``$service`` and ``$reader`` in it are the database roles.

    Parameters
    ----------
    revision_file
        The ``__file__`` of the revision.
    """
    attributes = context.config.attributes
    statements = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    for role in ("service", "reader"):
        statements = statements.replace(f"${role}", f'"{attributes[f"{role}_role"]}"')
    op.execute(statements)
