#!/bin/sh
# LocalStack forgets everything when it stops: deploy what was packaged last, each time it is ready.
set -eu
cd "$STACK_ROOT"
export PYTHONPATH="$STACK_ROOT/contract"
set -a
. "$STATE_DIR/rendered/settings.env"
set +a
exec "$STACK_PYTHON" -m stack deploy --packaged >"$STATE_DIR/logs/deploy.log" 2>&1
