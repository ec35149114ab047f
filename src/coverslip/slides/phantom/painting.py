"""Paint a block of a phantom: stains on tissue, nuclei, defects, then light, glass and camera."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from coverslip.slides.phantom.defects import Defects, defects_in
from coverslip.slides.phantom.light import (
    BLOOD,
    DUST,
    EOSIN,
    GREY,
    HAEMATOXYLIN,
    INK,
    Pixels,
    camera,
    look_up,
    stain_table,
    varied,
)
from coverslip.slides.phantom.noise import Field, Grid, fractal_noise, smooth_noise
from coverslip.slides.phantom.nuclei import EPITHELIAL, Nuclei, nuclei_in
from coverslip.slides.phantom.options import PhantomOptions
from coverslip.slides.phantom.plan import Plan, make_plan
from coverslip.slides.phantom.textures import Textures, make_textures
from coverslip.slides.phantom.tissue import FIELD_UM, Tissue, flow, island_depth, tissue_in

BLOCK_PX = 1024
"""Blocks are painted one by one; the pixels of a block do not depend on which others are painted."""
MARGIN_UM = 32.0
"""Masks are made this far beyond a block, so that interpolation and nuclei at its border are those of its neighbour."""
HALO_UM = 16.0
"""Pixels are painted this far beyond it, which the blur of optics needs."""
FAR_UM = 400.0
"""No tissue is farther outside its planned outline."""
BLUR_UM = 3.6
FOLD_SHIFT_UM = (7.0, 9.0)


@dataclass(frozen=True)
class Block:
    """A painted block: ``rgb`` (`BLOCK_PX`, `BLOCK_PX`, 3), and the truth about its own area at the masks' spacing."""

    rgb: Pixels
    tissue: Tissue
    defects: Defects
    nuclei: Nuclei
    inner: tuple[slice, slice]
    """Rows and columns of the masks that lie in the block itself."""


class Painter:
    """Paints the blocks of one phantom; holds its plan and textures (about 40 MB)."""

    def __init__(self, options: PhantomOptions) -> None:
        self.options, self.plan = options, make_plan(options)
        random = np.random.default_rng([options.seed, 5])
        self._stains = stain_table(varied(HAEMATOXYLIN, random), varied(EOSIN, random), random.uniform(0.80, 1.05))
        self._blood = stain_table(HAEMATOXYLIN, BLOOD, 1.0)
        self._camera = camera(random, BLOCK_PX)
        self.glass = cv2.add(np.full((BLOCK_PX, BLOCK_PX, 3), 255, np.uint8), self._camera, dtype=cv2.CV_8U)

    @cached_property
    def textures(self) -> Textures:
        """Made when first needed, for bare glass needs none."""
        return make_textures(self.options.seed, self.options.mpp)

    def paint(self, column: int, row: int) -> Block | None:
        """The block at ``column``, ``row``; None if it is bare glass, which looks like ``glass``."""
        mpp, seed = self.options.mpp, self.options.seed
        size_um = BLOCK_PX * mpp
        window = (
            column * size_um - MARGIN_UM,
            row * size_um - MARGIN_UM,
            size_um + 2 * MARGIN_UM,
            size_um + 2 * MARGIN_UM,
        )
        grid = Grid.over(*window, FIELD_UM)
        defects = defects_in(self.plan, seed, grid)
        if defects.none and not _near_tissue(self.plan, grid):
            return None
        tissue = tissue_in(self.plan, seed, *window)
        if tissue.empty and defects.none:
            return None
        bent = flow(grid, seed)
        nuclei = _no_nuclei() if tissue.empty else nuclei_in(tissue, bent, seed)
        shift = round((MARGIN_UM - HALO_UM) / FIELD_UM)
        crop = np.s_[shift:-shift, shift:-shift]
        corner_um = (window[0] + MARGIN_UM - HALO_UM, window[1] + MARGIN_UM - HALO_UM)
        canvas = _Canvas(self.options, self.textures, grid, crop, corner_um)
        rgb = canvas.light(tissue, nuclei, bent, defects, self._stains, self._blood)
        rgb = canvas.with_defects(rgb, defects, self.plan)
        halo = round(HALO_UM / mpp)
        rgb = cv2.add(rgb[halo:-halo, halo:-halo], self._camera, dtype=cv2.CV_8U)
        margin = round(MARGIN_UM / FIELD_UM)
        inner = np.s_[margin:-margin, margin:-margin]
        left, top = column * size_um, row * size_um
        own = (
            (nuclei.x_um >= left)
            & (nuclei.x_um < left + size_um)
            & (nuclei.y_um >= top)
            & (nuclei.y_um < top + size_um)
        )
        return Block(rgb, tissue, defects, nuclei.chosen(own), inner)


@dataclass(frozen=True)
class _Canvas:
    """The pixels of a block and its halo; ``crop`` is where the masks that belong to them lie in their window."""

    options: PhantomOptions
    textures: Textures
    grid: Grid
    crop: tuple[slice, slice]
    corner_um: tuple[float, float]

    @property
    def scale(self) -> int:
        """Pixels per mask value."""
        return round(FIELD_UM / self.options.mpp)

    @property
    def side_px(self) -> int:
        return BLOCK_PX + 2 * round(HALO_UM / self.options.mpp)

    def up(self, field: Field) -> Pixels:
        """A field of 0 to 1 as 0 to 255 at every pixel."""
        values = np.clip(field[self.crop] * 255 + 0.5, 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(values, (self.side_px, self.side_px), interpolation=cv2.INTER_LINEAR), np.uint8)

    def texture(self, texture: Pixels) -> Pixels:
        x_px, y_px = (round(value / self.options.mpp) for value in self.corner_um)
        return self.textures.window(texture, x_px, y_px, self.side_px, self.side_px)

    def light(
        self, tissue: Tissue, nuclei: Nuclei, bent: Field, defects: Defects, stains: Pixels, blood: Pixels
    ) -> Pixels:
        """The colours of the stained tissue on white."""
        side = self.side_px
        if tissue.empty:
            return np.full((side, side, 3), 255, np.uint8)
        haematoxylin, eosin = self._stain(tissue, bent)
        shape, depth = self._nuclei(nuclei)
        eosin = cv2.subtract(eosin, cv2.multiply(eosin, shape, scale=0.45 / 255))
        haematoxylin = cv2.add(haematoxylin, depth)
        if defects.fold is not None:
            haematoxylin, eosin = (self._folded(stain, defects.fold) for stain in (haematoxylin, eosin))
        pair = cv2.merge([eosin, haematoxylin]).view(np.uint16)[..., 0]
        rgb = look_up(stains, pair)
        if tissue.weight["blood"].any():
            red = self.up(tissue.weight["blood"]) > 127
            rgb[red] = look_up(blood, pair)[red]
        return rgb

    def _stain(self, tissue: Tissue, bent: Field) -> tuple[Pixels, Pixels]:
        """Haematoxylin and eosin of everything but nuclei."""
        seed, weight = self.options.seed, tissue.weight
        strength = (
            1 + 0.10 * smooth_noise(self.grid, 2500, seed, 11) + 0.05 * fractal_noise(self.grid, 300, 2, seed, 12)
        )
        side = self.side_px
        eosin, haematoxylin = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
        if weight["stroma"].any():
            fibres = self._fibres(bent)
            loose = np.clip(0.35 + 0.75 * fractal_noise(self.grid, 240, 2, seed, 13), 0, 1)
            faint = np.clip(0.12 + 0.25 * loose, 0, 1)
            for i, share in enumerate((1 - loose, loose)):
                part = self.up(weight["stroma"] * share * strength * (0.60, 0.78)[i] * 0.78)
                eosin = cv2.add(eosin, cv2.multiply(fibres[..., i], part, scale=1 / 255))
            bluish = cv2.multiply(
                cv2.max(fibres[..., 0], fibres[..., 1]), self.up(weight["stroma"] * faint), scale=0.28 / 255
            )
            haematoxylin = cv2.add(haematoxylin, bluish)
        cells = weight["epithelium"] + weight["gland"] - tissue.lumen
        lymph = weight["lymph"]
        if cells.any() or lymph.any():
            cytoplasm = self.texture(self.textures.cytoplasm)
            pale = np.clip(0.23 + 0.05 * smooth_noise(self.grid, 150, seed, 14), 0, 1)
            eosin = cv2.add(
                eosin, cv2.multiply(cytoplasm, self.up((cells * pale + lymph * 0.16) * strength), scale=1 / 255)
            )
            basophil = (cells * (0.22 + 0.05 * smooth_noise(self.grid, 500, seed, 15)) + lymph * 0.17) * strength
            haematoxylin = cv2.add(haematoxylin, cv2.multiply(cytoplasm, self.up(basophil), scale=1 / 255))
        for name, texture, gain in (("fat", self.textures.membranes, 0.5), ("blood", self.textures.red_cells, 0.62)):
            if weight[name].any():
                eosin = cv2.add(eosin, cv2.multiply(self.texture(texture), self.up(weight[name] * gain), scale=1 / 255))
        return haematoxylin, eosin

    def _fibres(self, bent: Field) -> Pixels:
        """Connective tissue (h, w, 2), looked up where the bent plane says."""
        side = self.side_px
        at = bent[self.crop] / self.options.mpp
        at = at - np.floor(at.min(axis=(0, 1)) / self.textures.period_px) * self.textures.period_px
        x, y = (
            cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR) for part in cv2.split(at.astype(np.float32))
        )
        return np.asarray(cv2.remap(self.textures.fibres, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.uint8)

    def _nuclei(self, nuclei: Nuclei) -> tuple[Pixels, Pixels]:
        """The shape of all nuclei (0 or their shade), and their haematoxylin with rim, chromatin and nucleoli."""
        mpp, side = self.options.mpp, self.side_px
        shape = np.zeros((side, side), np.uint8)
        outlines = np.rint(((nuclei.outlines_um() - self.corner_um) / mpp - 0.5) * 16).astype(np.int32)
        for points, shade in zip(outlines, (255 * nuclei.shade).astype(int).tolist(), strict=True):
            cv2.fillConvexPoly(shape, points, shade, cv2.LINE_AA, 4)
        shape = cv2.blur(shape, (round(1 / mpp) | 1, round(1 / mpp) | 1))
        middle = cv2.blur(shape, (round(3.5 / mpp) | 1, round(3.5 / mpp) | 1))
        rim = cv2.subtract(shape, middle)
        depth = cv2.multiply(shape, self.texture(self.textures.chromatin), scale=0.62 / 255)
        depth = cv2.addWeighted(depth, 1, rim, 0.5, 0)
        large = nuclei.chosen((nuclei.kind == EPITHELIAL) & (nuclei.twist < 0.6))
        spots = np.stack([large.x_um, large.y_um], axis=1) + (large.twist[:, np.newaxis] - 0.3) * 2.2
        spots = np.rint(((spots - self.corner_um) / mpp - 0.5) * 16).astype(int)
        radius = round(0.55 / mpp * 16)
        for at in spots.tolist():
            cv2.circle(depth, at, radius, 150, -1, cv2.LINE_AA, 4)
        return shape, depth

    def _folded(self, stain: Pixels, fold: Field) -> Pixels:
        """The stain of two layers where the tissue is folded, the upper one shifted."""
        dx, dy = (round(value / self.options.mpp) for value in FOLD_SHIFT_UM)
        second = np.roll(stain, (dy, dx), axis=(0, 1))
        return np.asarray(cv2.add(stain, cv2.multiply(second, self.up(fold), scale=1 / 255)), np.uint8)

    def with_defects(self, rgb: Pixels, defects: Defects, plan: Plan) -> Pixels:
        """Focus, and what lies on the coverslip."""
        if defects.blur is not None:
            blurred = cv2.GaussianBlur(rgb, (0, 0), BLUR_UM / self.options.mpp)
            share = (self.up(defects.blur).astype(np.float32) / 255)[..., np.newaxis]
            rgb = (rgb * (1 - share) + blurred * share + 0.5).astype(np.uint8)
        for density, color in (
            (defects.edge, GREY),
            (defects.dust, DUST),
            (defects.pen, INK[plan.pen_color]),
        ):
            if density is not None:
                # Values of 0 to 2 in optical density fit into a byte.
                table = np.clip(255 * 10 ** (-np.arange(256)[:, np.newaxis] / 127.5 * np.array(color)), 0, 255)
                shown = cv2.LUT(
                    cv2.merge([self.up(np.asarray(density / 2, np.float32))] * 3), table.astype(np.uint8)[np.newaxis]
                )
                rgb = cv2.multiply(rgb, shown, scale=1 / 255)
        return rgb


def _near_tissue(plan: Plan, grid: Grid) -> bool:
    x_um, y_um = grid.x_um[::16], grid.y_um[::16]
    return bool(island_depth(plan, x_um[np.newaxis, :], y_um[:, np.newaxis]).max() > -FAR_UM)


def _no_nuclei() -> Nuclei:
    none = np.empty(0)
    return Nuclei(none, none, np.empty((0, 2)), none, none.astype(np.int64), none, none)
