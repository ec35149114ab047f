"""The base of every error that Coverslip raises on purpose.

An error is named after what happened. Its docstring is the message a person reads, so it says what happened and what
to do next; ``{names}`` in it are filled with the facts given when it is raised. Its ``code`` is stable and goes into
the API, so that programs need not read sentences.
"""

from typing import ClassVar


class CoverslipError(Exception):
    """Something in Coverslip failed; the log says more."""

    code: ClassVar[str] = "COVERSLIP.ERROR"

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        sentences = " ".join((type(self).__doc__ or "").split())
        super().__init__(sentences.format(**facts))
