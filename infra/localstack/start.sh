#!/bin/sh
# Starts LocalStack for the supervisor. Its state is in memory: until the ready hook has deployed
# again nothing is deployed, and Nginx must not send anybody here.
set -eu
rm -f "$DEPLOYED_MARKER"
exec "$LOCALSTACK_PYTHON" -m localstack.runtime.main
