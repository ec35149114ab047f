"""Put a window together from the tiles it touches."""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from coverslip.slides.codestream import stated_size
from coverslip.slides.errors import SlideUnreadable
from coverslip.slides.slide import Slide

MOST_COMPONENTS = 4


class TiledSlide(Slide):
    """A slide whose levels are grids of tiles; each tile that a window touches is read and decoded once."""

    _name: str

    @abstractmethod
    def _tile_px(self, level: int) -> tuple[int, int]:
        """Width and height of the tiles of a level."""

    @abstractmethod
    def _decoded_tile(self, level: int, row: int, column: int) -> NDArray[np.uint8]:
        """A tile, RGB (tile height, tile width, 3); may raise whatever the decoder raises."""

    def read_region(self, x_px: int, y_px: int, level: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """See `Slide.read_region`."""
        size = self._check_window(level, width_px, height_px)
        left, top = round(x_px / size.downsample), round(y_px / size.downsample)
        # The part of the window that lies on the slide; the rest stays white.
        x_in, y_in = max(left, 0), max(top, 0)
        right, bottom = min(left + width_px, size.width_px), min(top + height_px, size.height_px)
        region = np.full((height_px, width_px, 3), 255, np.uint8)
        if x_in >= right or y_in >= bottom:
            return region
        tile_w, tile_h = self._tile_px(level)
        for row in range(y_in // tile_h, -(-bottom // tile_h)):
            y0, y1 = max(y_in, row * tile_h), min(bottom, (row + 1) * tile_h)
            for column in range(x_in // tile_w, -(-right // tile_w)):
                x0, x1 = max(x_in, column * tile_w), min(right, (column + 1) * tile_w)
                tile = self._tile(level, row, column)[y0 - row * tile_h :, x0 - column * tile_w :]
                region[y0 - top : y1 - top, x0 - left : x1 - left] = tile[: y1 - y0, : x1 - x0]
        return region

    def _tile(self, level: int, row: int, column: int) -> NDArray[np.uint8]:
        tile_w, tile_h = self._tile_px(level)
        try:
            tile = self._decoded_tile(level, row, column)
            # Some writers cut the tiles at the right and lower edge to what lies on the slide.
            size = self.info.levels[level]
            least = min(tile_h, size.height_px - row * tile_h), min(tile_w, size.width_px - column * tile_w)
            if tile.ndim != 3 or tile.shape[2] != 3 or tile.shape[0] < least[0] or tile.shape[1] < least[1]:
                raise ValueError(f"it has shape {tile.shape}, not {(tile_h, tile_w, 3)}")
        except Exception as error:  # every codec has its own exception type, and damaged data may raise any
            place = f"level {level}, tile row {row}, column {column}"
            raise SlideUnreadable(name=self._name, place=place, reason=str(error) or repr(error)) from error
        return tile

    def _check_codestream(self, level: int, data: bytes) -> None:
        """Refuse a tile that claims to be larger than its level's tiles, before room is made for it.

        Raises
        ------
        ValueError
        """
        stated, (width, height) = stated_size(data), self._tile_px(level)
        if stated is None:
            raise ValueError("it does not start as its compression does")
        if stated.width_px > width or stated.height_px > height or stated.components > MOST_COMPONENTS:
            raise ValueError(
                f"it claims {stated.width_px} x {stated.height_px} px in {stated.components} components, "
                f"but the level's tiles have {width} x {height} px"
            )
