"""What can be wrong with slides, tables and submissions before and while a run is made, and what to do about it."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class SourceMissing(CoverslipError):
    """There is no file or folder {path}. Check the path and that the disk it lies on is attached."""

    code: ClassVar[str] = "WORKFLOW.SOURCE_MISSING"


class NoUsableSlides(CoverslipError):
    """No slide that can be used lies in {path}. Slides are found by their suffix, such as {suffixes}."""

    code: ClassVar[str] = "WORKFLOW.NO_USABLE_SLIDES"


class BadMapping(CoverslipError):
    """The mapping {mapping!r} cannot be used: {reason}. Write it as '<regex>:<column>=<value>,<column>=<value>', for
    example '.*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER'."""

    code: ClassVar[str] = "WORKFLOW.BAD_MAPPING"


class TableUnusable(CoverslipError):
    """The metadata table {path} cannot be used: {reason}."""

    code: ClassVar[str] = "WORKFLOW.TABLE_UNUSABLE"


class TableFaulty(CoverslipError):
    """{count} value(s) in the metadata table {path} cannot be used. Correct them and run the same command again."""

    code: ClassVar[str] = "WORKFLOW.TABLE_FAULTY"


class NotUploaded(CoverslipError):
    """{count} slide(s) in the metadata table {path} have not been uploaded. Run `coverslip application run upload`."""

    code: ClassVar[str] = "WORKFLOW.NOT_UPLOADED"


class InputsUnsupported(CoverslipError):
    """Version {version} of {application_id} takes {count} files per slide ({names}), but a metadata table describes
    one. Submit such runs with the Python library: platform.Client().runs.submit."""

    code: ClassVar[str] = "WORKFLOW.INPUTS_UNSUPPORTED"


class BadSchedule(CoverslipError):
    """The {name} {value!r} cannot be used: {reason}. Write it as 2027-03-04T18:00:00+01:00."""

    code: ClassVar[str] = "WORKFLOW.BAD_SCHEDULE"


class SubmissionUnfinished(CoverslipError):
    """{path} remembers an unfinished submission of {found}, not of {asked}. Run the command for {found} again to finish
    it, or remove that file to forget it."""

    code: ClassVar[str] = "WORKFLOW.SUBMISSION_UNFINISHED"


class ServerAwayTooLong(CoverslipError):
    """The platform has not answered for {minutes:.0f} minutes ({reason}). The run {run_id} is safe there; run the same
    command again to go on."""

    code: ClassVar[str] = "WORKFLOW.SERVER_AWAY"
