"""From a picture that somebody holds, a Pillow image or an array, to upright RGB pixels and the square that models read.

Photographs on disk and pictures that are handed over in Python pass through the same lines, so both give the same vectors.
"""

import importlib.util
import struct

import numpy as np
import PIL.Image
import PIL.ImageOps

from vldeformer.errors import InputError

HEIF = ("HEIF",) if importlib.util.find_spec("pillow_heif") else ()
"""Is read where it is installed."""
READ_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", *HEIF)
"""Of photographs. Pillow reads more, some of it by other programs, such as Ghostscript."""
DECODING_ERRORS = (
    *(OSError, ValueError, SyntaxError, RuntimeError, LookupError, ArithmeticError, TypeError, struct.error),
    PIL.Image.DecompressionBombError,
)
"""What Pillow raises at a file that is damaged or no picture: what its decoders stumble over comes as it is."""
MOST_SIDE, MOST_CODED_PIXELS = 65_535, 1_000_000
"""Of a photograph that is decoded: the longest side that a JPEG may have."""
MOST_ELONGATED = 16
"""Longest side in shortest sides. What is further out is cut off first: scaled up, a line of pixels would fill the memory."""

WITH_ALPHA = {"P": "RGBA", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}
"""Modes that Pillow converts to RGB by way of another alone."""

Picture = PIL.Image.Image | np.ndarray

if HEIF:
    import pillow_heif

    pillow_heif.register_heif_opener()


def upright(picture: Picture, name: str) -> PIL.Image.Image:
    """The picture as RGB, turned as its EXIF orientation says; transparency is dropped, 16-bit grey is scaled to 8 bits.

    An array must be (height, width, 3) uint8. Raises InputError, which calls the picture ``name``, if it cannot be read.
    """
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
            came = f"{picture.dtype} of shape {picture.shape}"
            raise InputError(f"{name}: expected an array (height, width, 3) of uint8, RGB, got {came}; convert it")
        return PIL.Image.fromarray(picture)
    if not isinstance(picture, PIL.Image.Image):
        raise InputError(f"{name}: expected a PIL image or an array (height, width, 3) of uint8, got {type(picture).__name__}")
    if picture.mode == "F" or not min(picture.size) or (picture.mode == "I" and not _is_16_bit(picture)):
        came = f"mode {picture.mode}, {picture.width} x {picture.height} pixels"
        raise InputError(f"{name}: expected a photograph of at least one pixel, 8 or 16 bits a colour, got {came}; convert it")
    try:
        turned = PIL.ImageOps.exif_transpose(picture)
        if turned.mode.startswith("I"):
            return PIL.Image.fromarray((np.asarray(turned) // 257).astype(np.uint8)).convert("RGB")
        # Pillow wants palettes with transparency to pass through RGBA.
        return (turned.convert(WITH_ALPHA[turned.mode]) if turned.mode in WITH_ALPHA else turned).convert("RGB")
    except DECODING_ERRORS as error:
        raise InputError(f"{name}: expected a photograph, cannot read it ({error}); replace it") from None


def check_bounds(picture: PIL.Image.Image, name: str) -> None:
    """Refuse an opened picture by its header, before it is decoded.

    Raises InputError, which calls the picture ``name``, for sides that no photograph has, and for a run-length-coded BMP of more
    than a million pixels, which Pillow decodes a byte at a time.
    """
    coded = any(tile[0] == "bmp_rle" for tile in getattr(picture, "tile", ()))
    if max(picture.size) > MOST_SIDE or (coded and picture.width * picture.height > MOST_CODED_PIXELS):
        most = f"{MOST_CODED_PIXELS:,} pixels of a run-length-coded BMP" if coded else f"{MOST_SIDE:,} pixels a side"
        raise InputError(f"{name}: expected at most {most}, got {picture.width:,} x {picture.height:,}; make it smaller")


def _is_16_bit(picture: PIL.Image.Image) -> bool:
    """Whether whole numbers of 32 bits hold grey of 16, as Pillow gives those of PGM and of some TIFF."""
    values = np.asarray(picture)
    return bool(values.min() >= 0 and values.max() < 1 << 16)


def square(rgb: PIL.Image.Image, size: int) -> np.ndarray:
    """(size, size, 3) uint8: an upright RGB image scaled (bicubic) to cover the square, its centre cut out."""
    rgb = trimmed(rgb, MOST_ELONGATED)
    scale = size / min(rgb.size)
    if scale != 1:
        scaled = max(size, round(rgb.width * scale)), max(size, round(rgb.height * scale))
        rgb = rgb.resize(scaled, PIL.Image.Resampling.BICUBIC)
    return np.asarray(_centre(rgb, size, size))


def trimmed(rgb: PIL.Image.Image, most_elongated: int) -> PIL.Image.Image:
    """The centre of an image that is longer than ``most_elongated`` times its shortest side; any other as it is."""
    longest = most_elongated * min(rgb.size)
    return _centre(rgb, *(min(side, longest) for side in rgb.size)) if max(rgb.size) > longest else rgb


def _centre(rgb: PIL.Image.Image, width: int, height: int) -> PIL.Image.Image:
    left, top = (rgb.width - width) // 2, (rgb.height - height) // 2
    return rgb.crop((left, top, left + width, top + height))
