from pathlib import Path

import pytest

from coverslip.slides import inspect
from coverslip.slides.crc32c import Crc32c, crc32c_file
from coverslip.slides.errors import ChecksumTooSlow, SlideMissing
from coverslip.slides.media_types import media_type_of


def test_inspection_of_an_svs(svs: Path) -> None:
    seen = inspect(svs)
    assert (seen.name, seen.size_bytes, seen.checksum_base64_crc32c) == (svs.name, 1938955, "yxvDwQ==")
    assert (seen.info.width_px, seen.info.height_px, seen.info.mpp) == (2220, 2967, 0.499)
    assert seen.info.media_type == "application/octet-stream"
    assert seen.info.associated_images == ("label", "macro", "thumbnail")


def test_crc32c_check_value_of_rfc_3720(tmp_path: Path) -> None:
    # 32 bytes of zeros have the CRC 0x8A9136AA (RFC 3720, appendix B.4).
    path = tmp_path / "zeros"
    path.write_bytes(bytes(32))
    seen: list[int] = []
    assert crc32c_file(path, seen.append) == "ipE2qg=="
    assert sum(seen) == 32


def test_crc32c_grows() -> None:
    whole, parts = Crc32c(), Crc32c()
    whole.update(b"123456789")
    for part in (b"1234", b"", b"56789"):
        parts.update(part)
    assert whole.base64 == parts.base64 == "4waSgw=="


def test_slow_crc32c_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google_crc32c.implementation", "python")
    with pytest.raises(ChecksumTooSlow):
        Crc32c()


def test_crc32c_of_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SlideMissing):
        crc32c_file(tmp_path / "gone")


def test_media_types() -> None:
    suffixes = ["a.TIFF", "a.tif", "a.dcm", "a.zip", "a.svs", "a"]
    other = "application/octet-stream"
    expected = ["image/tiff", "image/tiff", "application/dicom", "application/zip", other, other]
    assert [media_type_of(name) for name in suffixes] == expected
