#!/bin/sh
# Starts LocalStack for the supervisor. Its state is in memory: until the ready hook has deployed
# again nothing is deployed, and Nginx must not send anybody here. A deploy into the run before may
# still be about to say that it is done: by the run's name nobody believes it.
set -eu
printf '%s' "$$ $(date +%s)" >"$RUN_FILE"
rm -f "$DEPLOYED_MARKER"
exec "$LOCALSTACK_PYTHON" -m localstack.runtime.main
