"""Has each function start a few environments before anybody waits for them.

After a restart of LocalStack a crowd would otherwise start as many environments as there are callers, at
once and on few cores, and all would wait for the slowest.
"""

from concurrent.futures import ThreadPoolExecutor

import urllib3

ENVIRONMENTS = 2
"""Of each function: enough for the submits of a laptop, since a warm one answers in milliseconds."""
DEADLINE_S = 15
CALLS = (("POST", "/predict"), ("GET", "/health"))
"""One call a function that asks no other part: an empty submit is refused before anything is looked up."""


def warm_up(api_url: str) -> None:
    """Call each function in parallel; whatever is answered, its environments have started.

    Args:
        api_url: address of the API's stage on LocalStack.
    """
    calls = [call for call in CALLS for _ in range(ENVIRONMENTS)]
    with (
        urllib3.PoolManager(retries=False, timeout=DEADLINE_S, maxsize=len(calls)) as http,
        ThreadPoolExecutor(len(calls)) as threads,
    ):
        answers = [threads.submit(http.request, method, api_url + path) for method, path in calls]
    for answer in answers:
        answer.exception()
