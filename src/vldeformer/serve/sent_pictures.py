"""Photographs that are sent in: which formats and sizes are decoded at all; what is refused is refused by its header."""

from typing import BinaryIO

import PIL.Image

from vldeformer.data.pictures import MOST_SIDE, check_bounds, upright
from vldeformer.serve.refusal import RefusedError

SENT_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""What may be sent in: fewer than a folder may hold (``data.pictures.READ_FORMATS``), since anybody may send."""
MOST_PIXELS = 80_000_000
"""Of a photograph that is sent in; decoded it takes 3 bytes a pixel, and several times that on its way."""
MOST = f"at most {MOST_PIXELS:,} pixels and {MOST_SIDE:,} a side"


def uploaded(file: BinaryIO) -> PIL.Image.Image:
    """The photograph in a file that was sent in, as RGB, upright.

    Raises RefusedError: 413 if it has too many pixels, 415 if it is none.
    """
    try:
        image = PIL.Image.open(file, formats=SENT_FORMATS)
        if image.width * image.height > MOST_PIXELS or max(image.size) > MOST_SIDE:
            raise _too_many_pixels(f"{image.width:,} × {image.height:,}")
        check_bounds(image, "the file")
        return upright(image, "the file")
    except (RefusedError, MemoryError):
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):  # the warning, where warnings are errors
        raise _too_many_pixels("more") from None
    except Exception:  # a file made to break a decoder raises anything
        kinds = ", ".join(SENT_FORMATS)
        raise RefusedError(415, f"expected a photograph ({kinds}), got a file that is none or is cut short") from None


def _too_many_pixels(came: str) -> RefusedError:
    return RefusedError(413, f"expected a photograph of {MOST}, got {came}; send a smaller one")
