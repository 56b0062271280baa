"""The functions that LocalStack has now, read from its own store."""

from collections.abc import Iterator

from localstack.services.lambda_.invocation.models import lambda_stores

from localstack_process_executor.metrics import FunctionFacts


def deployed_functions() -> Iterator[FunctionFacts]:
    """Each function of every account and region; none before the Lambda service is loaded."""
    # Copies: a deployment may change what is read here.
    for account in list(lambda_stores.values()):
        for store in list(account.values()):
            for function in list(store.functions.values()):
                yield FunctionFacts(
                    name=function.function_name,
                    memory_size_mb=function.latest().config.memory_size,
                    reserved_concurrency=function.reserved_concurrent_executions,
                )
