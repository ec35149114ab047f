"""Networks over images of any size, and what is said when they do not fit their cards."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coverslip.models.errors import ModelSettingsInvalid, ModelShapesWrong, ProviderUnavailable
from coverslip.models.library import read_pair
from coverslip.models.network import Network
from coverslip.models.session import open_session
from coverslip.models.settings import ModelSettings, Provider, load_settings
from harness.tiny_models import DARK, Mix, write_card, write_network, write_tiny_model

CARD: dict[str, Any] = {"kind": "probability", "outputs": {"nuclei": {"output": "p"}}}


def network(path: Path, settings: ModelSettings, outputs: dict[str, Any] | None = None, **given: Any) -> Network:
    write_card(path, **CARD | {"input": {"mpp": 0.5} | given} | ({"outputs": outputs} if outputs else {}))
    return Network(read_pair(path.with_suffix(".json")), settings)


def image(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (33, 70), (2048, 2049), (2500, 90), (700, 4100)])
@pytest.mark.parametrize("stride", [1, 16, 48])
def test_every_pixel_gets_its_own_value(
    source: Path, settings: ModelSettings, shape: tuple[int, int], stride: int
) -> None:
    write_network(source / "n.onnx", {"p": Mix(*DARK)})
    rgb = image(*shape)
    maps = network(source / "n.onnx", settings, stride=stride).maps(rgb)
    assert maps["nuclei"].shape == (*shape, 1)
    assert np.allclose(maps["nuclei"][..., 0], 1 - rgb[..., 0] / 255, atol=1e-5)


@pytest.mark.parametrize("shape", [(100, 60), (300, 500)])
def test_networks_of_one_size_and_with_smaller_outputs(
    source: Path, settings: ModelSettings, shape: tuple[int, int]
) -> None:
    """As the published HoVer-Net: a square goes in, and its middle comes out."""
    write_network(source / "n.onnx", {"p": Mix(*DARK)}, side=256, blur_px=3)
    rgb = image(*shape)
    found = network(source / "n.onnx", settings, margin_px=3).maps(rgb)["nuclei"][..., 0]
    framed = np.pad(1 - rgb[..., 0] / 255, 3, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(framed, (7, 7))
    assert np.allclose(found, windows.mean(axis=(2, 3)), atol=1e-5)


def test_one_value_for_several_pixels(source: Path, settings: ModelSettings) -> None:
    write_network(source / "n.onnx", {"p": Mix(*DARK)}, grid=2)
    rgb = image(2301, 99)
    outputs = {"nuclei": {"output": "p", "grid_px": 2}}
    found = network(source / "n.onnx", settings, outputs, stride=4).maps(rgb)["nuclei"][..., 0]
    assert np.allclose(found, 1 - rgb[::2, ::2, 0] / 255, atol=1e-5)


def test_normalisation(source: Path, settings: ModelSettings) -> None:
    write_network(source / "n.onnx", {"p": Mix(((0, 0, 1),), (0,))})
    rgb = image(20, 30)
    given = {"scale": 100, "mean": [0, 0, 0.5], "std": [1, 1, 2]}
    found = network(source / "n.onnx", settings, normalisation=given).maps(rgb)["nuclei"][..., 0]
    assert np.allclose(found, (rgb[..., 2] / 100 - 0.5) / 2, atol=1e-5)


@pytest.mark.parametrize(
    ("written", "given", "outputs", "reason"),
    [
        ({}, {}, {"nuclei": {"output": "q"}}, "no output q; its outputs are p"),
        ({}, {"layout": "NHWC"}, None, "not any or a square; see to the layout too"),
        ({"grid": 3}, {"stride": 4}, None, "grid_px, stride, margin_px or layout is not as stated"),
        ({"blur_px": 2}, {}, None, "grid_px, stride, margin_px or layout is not as stated"),
        ({"side": 100}, {"stride": 16}, None, "100 px, which is no multiple of the stride 16"),
        ({"side": 64}, {}, None, "windows of 64 px are too small for an overlap of 64 px"),
        ({"grid": 2}, {"stride": 2}, None, "grid_px, stride, margin_px or layout is not as stated"),
        ({}, {}, {"nuclei": {"output": "p", "channels": [1, 2]}}, "nuclei has 0 channels in output p, not 1"),
    ],
)
def test_what_does_not_fit_is_named(
    source: Path,
    settings: ModelSettings,
    written: dict[str, Any],
    given: dict[str, Any],
    outputs: dict[str, Any] | None,
    reason: str,
) -> None:
    write_network(source / "n.onnx", {"p": Mix(*DARK)}, **written)
    with pytest.raises(ModelShapesWrong, match=reason):
        network(source / "n.onnx", settings, outputs, **given).maps(image(260, 260))


def test_a_star_needs_three_rays(source: Path, settings: ModelSettings) -> None:
    channels = {"channels": [0, 2], "grid_px": 2}
    outputs = {"probability": {"output": "prob", "grid_px": 2}, "distances": {"output": "dist", **channels}}
    path = write_tiny_model(source, "stardist", outputs=outputs)
    with pytest.raises(ModelShapesWrong, match="distances has 2 channels in output dist, not 3 or more"):
        Network(read_pair(path.with_suffix(".json")), settings).maps(image(20, 20))


def test_outputs_that_are_no_numbers_are_refused(source: Path, settings: ModelSettings) -> None:
    write_network(source / "n.onnx", {"p": Mix(((0, 0, 0),), (float("nan"),))})
    with pytest.raises(ModelShapesWrong, match="output p holds values that are no numbers"):
        network(source / "n.onnx", settings).maps(image(20, 20))


def test_a_provider_that_is_not_there_is_named(source: Path) -> None:
    path = write_tiny_model(source, "probability")
    absent = Provider.COREML  # which only Apple's machines have
    with pytest.raises(ProviderUnavailable, match=r"cannot run models with coreml; it offers .*cpu"):
        open_session(path, absent, 0)


@pytest.mark.parametrize("provider", [Provider.AUTO, Provider.CPU])
def test_the_processor_is_always_there(source: Path, provider: Provider) -> None:
    session = open_session(write_tiny_model(source, "probability"), provider, 1)
    assert "CPUExecutionProvider" in session.get_providers()


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_MODEL_PROVIDER", "abacus")
    with pytest.raises(ModelSettingsInvalid, match="COVERSLIP_MODEL_PROVIDER: Input should be 'auto', 'cpu'"):
        load_settings()


def test_models_lie_in_the_home_unless_a_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COVERSLIP_MODELS", raising=False)
    monkeypatch.setenv("COVERSLIP_HOME", str(tmp_path / "home"))
    assert load_settings().folder == tmp_path / "home" / "models"
