"""LocalStack listens where GATEWAY_LISTEN says: its own server drops an IPv4 host (ADR 0001)."""

import logging
from functools import partial
from types import SimpleNamespace
from typing import Any

from localstack.runtime.server import twisted as server

from localstack_process_executor.pinned import HookState, mismatch

LOG = logging.getLogger(__name__)

REGISTER_PARAMETERS = ("self", "gateway", "listen", "ssl_creds")

_register_everywhere = server.TwistedRuntimeServer.register
_endpoints = server.endpoints


def install() -> HookState:
    """Replace the registration, or say why not; without it every IPv4 address of the machine is served."""
    if (reason := mismatch({_register_everywhere: REGISTER_PARAMETERS})) is not None:
        LOG.warning("LocalStack may listen on every address: %s", reason)
        return HookState(enabled=False, reason=reason)
    server.TwistedRuntimeServer.register = register
    return HookState(enabled=True, reason="LocalStack listens on the hosts of GATEWAY_LISTEN only")


def register(self: Any, gateway: Any, listen: list[Any], ssl_creds: Any = None) -> None:  # noqa: ANN401 -- LocalStack's signature
    """LocalStack's own registration, once for each address, with its host."""
    for address in listen:
        server.endpoints = SimpleNamespace(
            TCP4ServerEndpoint=partial(_endpoints.TCP4ServerEndpoint, interface=address.host),
            TCP6ServerEndpoint=_endpoints.TCP6ServerEndpoint,
        )
        _register_everywhere(self, gateway, [address], ssl_creds)
    server.endpoints = _endpoints
