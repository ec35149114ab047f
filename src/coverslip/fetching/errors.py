"""Why an address is not connected to."""

from coverslip.contract.errors import CoverslipError


class AddressRefused(CoverslipError):
    """The host {host} has the address {address}, which is not public and not allowed."""

    code = "FETCH.ADDRESS_REFUSED"
