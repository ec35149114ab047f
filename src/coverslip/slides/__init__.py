"""Open any whole slide image: metadata, pixels, thumbnail, checksum; write label pyramids.

Every reader gives the same interface, `Slide`. A further format is a further file here with an ``open_…`` function
that returns a `Slide`, or None when the file is not of its kind; `coverslip.slides.opening` lists them in order.
"""

from coverslip.slides.inspection import SlideInspection, inspect
from coverslip.slides.opening import open_slide
from coverslip.slides.slide import Level, Slide, SlideInfo

__all__ = ["Level", "Slide", "SlideInfo", "SlideInspection", "inspect", "open_slide"]
