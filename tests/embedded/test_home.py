"""The home folder: private, of a known layout, and one platform at a time."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from coverslip.embedded.address import announced, read_address
from coverslip.embedded.errors import AlreadyRunning, DiskFull, FolderUnusable, HomeTooNew
from coverslip.embedded.home import LAYOUT_VERSION, Home, check_free_space, home_at, open_home
from coverslip.embedded.lock import locked
from coverslip.embedded.secrets import DATABASE_ROLES, ensure_secrets


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_private(home: Home) -> None:
    for folder in (home.root, home.secrets, home.postgres, home.store, home.scratch, home.logs, home.run):
        assert mode(folder) == 0o700


def test_a_folder_that_others_could_read_is_closed(home: Home) -> None:
    home.secrets.chmod(0o755)
    assert mode(open_home(home.root).secrets) == 0o700


def test_home_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "elsewhere"))
    assert home_at().root == (tmp_path / "elsewhere").resolve()
    assert not home_at().root.exists()


@pytest.mark.parametrize("found", [str(LAYOUT_VERSION + 1), "", "two"])
def test_an_unknown_layout_is_refused(home: Home, found: str) -> None:
    home.layout_file.write_text(found)
    with pytest.raises(HomeTooNew, match="newer"):
        open_home(home.root)


def test_a_file_in_the_way_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="--home"):
        open_home(tmp_path / "file")


def test_a_full_disk_is_explained(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coverslip.embedded.home.MIN_FREE_BYTES", 10**21)
    with pytest.raises(DiskFull, match="MB are free"):
        check_free_space(home.root)


def test_secrets_are_private_random_and_lasting(home: Home) -> None:
    secrets = ensure_secrets(home)
    files = list(home.secrets.iterdir())
    contents = [file.read_bytes() for file in files]
    assert len(files) == 4 + len(DATABASE_ROLES)
    assert {mode(file) for file in files} == {0o600}
    assert len(set(contents)) == len(files)
    assert len(secrets.encryption_key.read_bytes()) == 32
    ensure_secrets(home)
    assert [file.read_bytes() for file in files] == contents


def test_a_second_platform_on_the_home_is_refused(home: Home) -> None:
    code = (
        "import sys; from pathlib import Path; from coverslip.embedded.home import home_at; "
        "from coverslip.embedded.lock import locked; from coverslip.embedded.address import announced\n"
        "home = home_at(Path(sys.argv[1]))\n"
        "with locked(home), announced(home, 'https://there', 'http://127.0.0.1:1'): print('ready', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(AlreadyRunning) as caught, locked(home):
            pass
        assert caught.value.facts["pid"] == str(other.pid)
        assert caught.value.facts["address"] == "https://there"
        other.kill()
    # The system frees the lock of a killed process.
    with locked(home):
        assert (home.run / "lock").read_text().strip().isdecimal()


def test_the_address_is_there_only_while_it_is_true(home: Home) -> None:
    with announced(home, "https://there", "http://127.0.0.1:1") as address:
        assert read_address(home) == address
        assert mode(home.address_file) == 0o600
    assert read_address(home) is None
