"""How to reach the embedded database."""

from coverslip.embedded.secrets import Secrets

HOST = "127.0.0.1"
DATABASE = "coverslip"
SUPERUSER = "postgres"


def database_url(port: int, role: str, secrets: Secrets) -> str:
    """URL of the database `coverslip` for one of the roles `owner`, `service`, `reader`. It holds the password."""
    return f"postgresql://{role}:{secrets.database_password(role)}@{HOST}:{port}/{DATABASE}"
