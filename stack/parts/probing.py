"""How a part is asked over HTTP whether it is well."""

import urllib3

from stack.parts.part import NotReadyError

PROBE_TIMEOUT_S = 2.0

_http = urllib3.PoolManager(retries=False, timeout=PROBE_TIMEOUT_S)


def http_get(url: str) -> urllib3.BaseHTTPResponse:
    """Fetch a page of a part.

    Raises:
        NotReadyError: nobody answers there.
    """
    try:
        return _http.request("GET", url)
    except urllib3.exceptions.HTTPError as error:
        raise NotReadyError(f"no answer from {url}") from error


def http_ok(url: str) -> None:
    """Expect a 200 from a part.

    Raises:
        NotReadyError: nobody answers, or something else is answered.
    """
    status = http_get(url).status
    if status != 200:  # noqa: PLR2004 - HTTP's own number
        raise NotReadyError(f"{url} answers {status}")
