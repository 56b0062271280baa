"""Has the functions start environments before anybody waits for them.

After a restart of LocalStack a crowd would otherwise start them, all at once and on few cores, and would wait
for the slowest. Nginx sends nobody before, and then no more submits at once than there are environments.
"""

from concurrent.futures import ThreadPoolExecutor

import urllib3

READING = 2
"""Environments of the reading function: enough for a laptop, since a warm one answers in milliseconds."""
DEADLINE_S = 15
SUBMIT, READ = ("POST", "/predict"), ("GET", "/health")
"""Calls that ask no other part: an empty submit is refused before anything is looked up."""


def warm_up(api_url: str, submitting: int) -> None:
    """Call each function in parallel; whatever is answered, its environments have started.

    Args:
        api_url: address of the API's stage on LocalStack.
        submitting: environments of the submitting function: as many as there may be submits at once.
    """
    calls = [SUBMIT] * submitting + [READ] * READING
    with (
        urllib3.PoolManager(retries=False, timeout=DEADLINE_S, maxsize=len(calls)) as http,
        ThreadPoolExecutor(len(calls)) as threads,
    ):
        answers = [threads.submit(http.request, method, api_url + path) for method, path in calls]
    for answer in answers:
        answer.exception()
