"""Pictures as operators upload them: proper, damaged and hostile ones."""

import io
import struct
import zlib

from PIL import Image, PngImagePlugin

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 64), mode: str = "RGB", **options: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, "red").save(written, kind, **options)
    return written.getvalue()


def with_text() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "written-by-somebody")
    return picture(pnginfo=text)


def turned() -> bytes:
    """Return a picture of 40 x 20 pixels that a camera stored upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", (20, 40), exif=exif)


def bomb(side: int) -> bytes:
    """Return a small PNG file that decompresses to `side` times `side` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compressobj()
    compressed = rows.compress(bytes(50_000_000)) + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", compressed) + _chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """Return a PNG file with a text that decompresses to 50 MB."""
    plain = picture()
    text = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
    return plain[:33] + text + plain[33:]


def scan_bomb() -> bytes:
    """Return a JPEG file that draws its last scan 2000 times."""
    plain = picture("JPEG", progressive=True)
    last = plain.rindex(b"\xff\xda")
    return plain[:last] + plain[last:-2] * 2000 + plain[-2:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
