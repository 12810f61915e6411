"""Reading a request's body within bounds, whatever the client sends."""

import asyncio

from aiohttp import web

from swiftlet.wire.messages import PROGRESS_BODY_LIMIT

SECONDS = 10.0
"""For a whole body to arrive."""
CHUNK = 8192


async def bounded_body(request: web.Request, limit: int = PROGRESS_BODY_LIMIT, seconds: float = SECONDS) -> bytes:
    """The body. Raises HTTP errors: 413 over `limit` bytes, 415 for a compressed one, 408 when it takes too long."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType(text="Content-Encoding: send the body uncompressed")
    if (request.content_length or 0) > limit:
        raise _too_large(request.content_length or 0, limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_chunked(CHUNK):
                body += chunk
                if len(body) > limit:
                    raise _too_large(len(body), limit)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not arrive within {seconds:g} s") from None
    return bytes(body)


def _too_large(size: int, limit: int) -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(
        max_size=limit, actual_size=size, text=f"the body is larger than {limit} bytes; post fewer events at once"
    )
