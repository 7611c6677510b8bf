"""Send a file to be saved."""

from collections.abc import Iterable

from flask import Response


def download(name: str, pieces: Iterable[str], mimetype: str) -> Response:
    """Stream a file of this name. Its pieces are read while they are sent."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(pieces, mimetype=mimetype, headers=headers)
