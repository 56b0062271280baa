"""`GET /health` and `GET /ready`: whether this function runs, and whether a job would."""

from dataclasses import asdict

from chalice.app import Chalice, Request, Response

from inference_api.errors import NotReadyError
from inference_api.http_app import add_route, json_response
from inference_api.observability import Telemetry
from readiness import Readiness


def add_health_routes(app: Chalice, telemetry: Telemetry, readiness: Readiness) -> None:
    """Add both routes."""

    def get_health(_: Request) -> Response:
        return json_response({"status": "ok"})

    def get_ready(_: Request) -> Response:
        states = readiness()
        body = {name: asdict(state) for name, state in states.items()}
        if down := [name for name, state in states.items() if state.status == "down"]:
            raise NotReadyError(f"Down: {', '.join(down)}.", body)
        return json_response(body)

    add_route(app, telemetry, "GET", "/health", get_health)
    add_route(app, telemetry, "GET", "/ready", get_ready)
