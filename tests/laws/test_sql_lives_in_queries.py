"""SQL is written in `queries`, tables and the database package only: policy and HTTP stay free of it."""

import ast
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[2] / "src" / "coverslip" / "service"

CONSTRUCTS = {"select", "insert", "update", "delete", "text", "exists", "union", "func", "literal_column"}
"""What statements are made of. Types and exceptions of SQLAlchemy may be named anywhere."""


def may_hold_sql(path: Path) -> bool:
    return path.name.endswith("queries.py") or path.name == "tables.py" or "database" in path.parts


MODULES = [path for path in sorted(SERVICE.rglob("*.py")) if not may_hold_sql(path.relative_to(SERVICE))]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SERVICE).as_posix())
def test_no_sql_outside_queries(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            assert not CONSTRUCTS & {name.name for name in node.names}, f"line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "execute":
            pytest.fail(f"line {node.lineno} executes a statement")


def test_the_law_looks_at_something() -> None:
    assert len(MODULES) > 30
