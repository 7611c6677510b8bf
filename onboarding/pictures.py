"""Read a logo with Pillow, and write it again: the stored file contains pixels and nothing else of the uploaded one."""

import io

from PIL import Image, ImageOps

MAX_BYTES = 100_000
#: More pixels than any logo needs. An uncompressed picture of this size takes 16 MB.
_MAX_SIDE = 2000
#: Four times the height at which pages show it.
_HEIGHT, _WIDTH = 192, 576
#: A JPEG picture in hundreds of small scans takes minutes to decode.
_MAX_SCANS = 100
_START_OF_SCAN = b"\xff\xda"
#: Pillow raises all of these for damaged files.
_FAULTS = (
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)


def encode_logo(upload: bytes) -> bytes:
    """Return an uploaded PNG or JPEG picture as a PNG file of at most 576 x 192 pixels, without metadata.

    Raises ValueError with the end of a sentence.
    """
    if len(upload) > MAX_BYTES:
        raise ValueError("must have at most 100 kB")
    if upload.count(_START_OF_SCAN) > _MAX_SCANS:
        raise ValueError("must be a simpler JPEG picture: this one has too many scans")
    try:
        with Image.open(io.BytesIO(upload), formats=("PNG", "JPEG")) as picture:
            # The size is in the header: no pixel has been decompressed yet.
            is_large = max(picture.size) > _MAX_SIDE
            if not is_large:
                upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except _FAULTS:
        raise ValueError("must be a PNG or JPEG picture") from None
    if is_large:
        raise ValueError(f"must have at most {_MAX_SIDE} x {_MAX_SIDE} pixels")
    upright.thumbnail((_WIDTH, _HEIGHT))
    # A new picture, so that no text or color profile of the file is written.
    plain, written = Image.new("RGBA", upright.size), io.BytesIO()
    plain.paste(upright)
    plain.save(written, "PNG", optimize=True)
    return written.getvalue()
