"""Kinds of picture files that are not read: each is called by its name, with what to do."""

from pathlib import Path

RAW_ENDINGS = frozenset(
    ".3fr .arw .cr2 .cr3 .dcr .dng .erf .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf .rw2 .sr2 .srf .srw .x3f".split()
)
"""Raw pictures of cameras. Most are TIFF files, of which a reader sees the small preview."""
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
EXPORT = "save it as JPEG or PNG"


def foreign_kind(path: Path) -> str | None:
    """What a file is that is no readable photograph, and what to do, in words; None: nothing that is known here."""
    if path.suffix.lower() in RAW_ENDINGS:
        return f"a camera's raw picture; {EXPORT} in the camera's or any raw program"
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except OSError:
        return None
    if start[4:8] == b"ftyp" and start[8:12] in HEIF_BRANDS:
        return f"HEIC / HEIF; pip install pillow-heif, or {EXPORT}"
    if start[4:8] == b"ftyp" and start[8:11] == b"crx":
        return f"a camera's raw picture; {EXPORT} in the camera's or any raw program"
    if start.startswith(b"8BPS"):
        return f"a Photoshop file (PSD); {EXPORT}"
    if start.startswith(b"%PDF"):
        return f"a PDF document; {EXPORT}, page by page"
    if b"<svg" in start.lower():
        return f"an SVG drawing; {EXPORT}"
    return None
