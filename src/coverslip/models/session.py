"""Open a network with ONNX Runtime, on the processor or on an accelerator."""

from pathlib import Path

import onnxruntime

from coverslip.models.errors import ModelUnreadable, ProviderUnavailable
from coverslip.models.settings import Provider

RUNTIME_NAMES = {
    Provider.CUDA: "CUDAExecutionProvider",
    Provider.COREML: "CoreMLExecutionProvider",
    Provider.CPU: "CPUExecutionProvider",
}
"""Fastest first."""
ERRORS_ONLY = 3


def open_session(path: Path, provider: Provider, threads: int) -> onnxruntime.InferenceSession:
    """Load a network; the same input gives the same output every time on the same provider.

    Parameters
    ----------
    path
        The ONNX file.
    provider
        What shall run it.
    threads
        Threads for one input; 0: one per core.

    Raises
    ------
    ProviderUnavailable
        If the provider asked for cannot be had.
    ModelUnreadable
        If the file is no network that can be run.
    """
    available = [one for one, name in RUNTIME_NAMES.items() if name in onnxruntime.get_available_providers()]
    if provider is not Provider.AUTO and provider not in available:
        raise ProviderUnavailable(provider=provider, available=", ".join(available))
    wanted = available if provider is Provider.AUTO else [provider]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    # Windows differ in size, and a plan of memory would be kept for each.
    options.enable_mem_pattern = False
    options.log_severity_level = ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(path, options, providers=[RUNTIME_NAMES[one] for one in wanted])
    except Exception as error:  # ONNX Runtime has a class of its own for each kind of fault, and all say why
        raise ModelUnreadable(path=path, reason=str(error).strip().rstrip(".")) from error
    # A provider whose drivers are missing is left out in silence.
    if provider is not Provider.AUTO and RUNTIME_NAMES[provider] not in session.get_providers():
        raise ProviderUnavailable(provider=provider, available=", ".join(one for one in available if one != provider))
    return session
