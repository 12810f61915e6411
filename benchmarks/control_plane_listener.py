"""Takes reports of progress and keeps nothing: what pods' programs take of a machine, without the operator's part.

    python benchmarks/control_plane_listener.py COUNT

Prints its port, and asks COUNT pods to report as often as the operator would.
"""

import asyncio
import sys

from aiohttp import web
from swiftlet.observability.progress_pace import report_seconds
from swiftlet.wire.messages import PROGRESS_INTERVAL_FIELD


async def serve(count: int) -> None:
    """Answer until killed."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({PROGRESS_INTERVAL_FIELD: report_seconds(count)})

    app = web.Application()
    app.router.add_post("/progress", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
