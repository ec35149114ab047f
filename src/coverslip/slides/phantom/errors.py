"""What can keep a phantom from being written, each with what to do about it."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class PhantomNeedsServer(CoverslipError):
    """Phantom slides are drawn by image libraries that are not installed here ({missing}). Install them with:
    pip install 'coverslip[server]'"""

    code: ClassVar[str] = "PHANTOM.NEEDS_SERVER"


class PhantomOptionInvalid(CoverslipError):
    """{option} is {value}, which a phantom slide cannot have; give {allowed}."""

    code: ClassVar[str] = "PHANTOM.OPTION_INVALID"


class PhantomNotWritable(CoverslipError):
    """{name} cannot be written ({reason}); give a path ending in .tif or .tiff in an existing folder with room."""

    code: ClassVar[str] = "PHANTOM.NOT_WRITABLE"
