"""Nginx: the one door; only the API's own paths lead to LocalStack."""

import os
import pwd

from inference_contract.names import MAX_BODY_BYTES

from stack.context import Context
from stack.deployment import API_ID, STAGE
from stack.parts.part import Part
from stack.parts.probing import http_get
from stack.rendering import render

WORKER_USERS = ("www-data", "nobody")


def nginx(context: Context) -> Part:
    """Render Nginx' configuration and describe how it runs."""
    temp = context.paths.shared / "nginx"
    temp.mkdir(exist_ok=True)
    configuration = render(
        context,
        "nginx/nginx.conf.j2",
        context.paths.rendered / "nginx.conf",
        api_id=API_ID,
        stage=STAGE,
        temp_dir=temp,
        max_body_bytes=MAX_BODY_BYTES,
        worker_user=_worker_user(),
    )
    port = context.settings.http_port

    def probe() -> str:
        http_get(f"http://127.0.0.1:{port}/")
        return context.public_url

    return Part(
        name="nginx",
        command=("nginx", "-c", str(configuration), "-e", "stderr"),
        probe=probe,
        ports={"http_port": port},
        watched=(configuration,),
        stop_signal="QUIT",
    )


def _worker_user() -> str | None:
    """Return the system user for Nginx' workers; it can change users only where it starts as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((user for user in WORKER_USERS if user in names), None)
