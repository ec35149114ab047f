"""Send the slides of a metadata table to the platform, several at a time."""

from collections.abc import Sequence
from concurrent.futures import as_completed
from pathlib import Path

from coverslip.platform.client import Client
from coverslip.platform.uploads import DEFAULT_PREFIX, UploadedSlide
from coverslip.workflow.events import OnEvent, TransferAdvanced, TransferDone, ignore
from coverslip.workflow.parallel import Transfers
from coverslip.workflow.table import SlideRow, record_uploads
from coverslip.workflow.totals import plan_of


def upload_slides(
    client: Client,
    table: Path,
    rows: Sequence[SlideRow],
    on_event: OnEvent = ignore,
    *,
    prefix: str = DEFAULT_PREFIX,
) -> int:
    """Upload each slide and enter its address into the table as soon as it has arrived.

    Returns
    -------
    How many were sent; the others were there already.

    Raises
    ------
    FileChanged, FileUnreadable, TransferCut, ServerDiskFull, Refused
        See `coverslip.platform.uploads.upload_slide`. The first failure stops all; what arrived stays.
    """
    sent = 0
    with Transfers(on_event) as transfers:

        def upload(row: SlideRow) -> UploadedSlide:
            path = Path(row.external_id)
            uploaded = client.upload(
                path,
                row.checksum_base64_crc32c,
                lambda done, total: transfers.report(TransferAdvanced(row.external_id, done, total)),
                prefix=prefix,
            )
            done = TransferDone(row.external_id, was_there=not uploaded.sent, size_bytes=path.stat().st_size)
            transfers.report(done)
            return uploaded

        transfers.report(plan_of([Path(row.external_id) for row in rows]))
        jobs = {transfers.start(upload, row): row for row in rows}
        for job in as_completed(jobs):
            uploaded = job.result()
            record_uploads(table, {jobs[job].external_id: uploaded.download_url})
            sent += uploaded.sent
    return sent
