#!/bin/sh
# The gate: what a commit hook and CI run. Every step runs, and the list at the end says which failed.
set -u
cd "$(dirname "$0")/.."
bin=.venvs/app/bin
# Debian's nginx lies where only root's PATH leads.
PATH=$PATH:/usr/sbin:/sbin
failed=''
rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT

gate() {
    name=$1
    shift
    if output=$("$@" 2>&1); then
        printf '  ✓ %s\n' "$name"
    else
        printf '  ✗ %s\n%s\n' "$name" "$output"
        failed="$failed $name"
    fi
}

gate ruff "$bin/ruff" check .
gate format "$bin/ruff" format --check .
gate mypy "$bin/mypy" contract/inference_contract functions/common/inference_api functions/common/powertools_pushgateway worker/inference_worker worker/training stack load
for function in predict results; do
    gate "mypy-$function" env MYPYPATH="functions/$function:functions/common:contract" "$bin/mypy" "functions/$function"
done
gate mypy-boards env MYPYPATH=infra/grafana "$bin/mypy" infra/grafana/boards
gate mypy-executor "$bin/mypy" --config-file infra/localstack/pyproject.toml --python-executable .venvs/localstack/bin/python infra/localstack/localstack_process_executor
gate imports env PYTHONPATH=contract:worker:functions/common "$bin/lint-imports"
gate cfn-lint "$bin/cfn-lint" template.yaml
gate sam-validate env SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 .venvs/sam/bin/sam validate --lint --template template.yaml
gate configuration env STATE_DIR="$rendered" "$bin/python" -m stack render
gate nginx nginx -t -q -e stderr -c "$rendered/rendered/nginx.conf"
gate promtool promtool check config "$rendered/rendered/prometheus.yml"
gate amtool amtool check-config "$rendered/rendered/alertmanager.yml"
gate mtail mtail -compile_only -progs infra/prometheus/door.mtail -logtostderr
gate rules promtool test rules infra/prometheus/tests/*.yml
gate dashboards env PYTHONPATH=infra/grafana "$bin/python" -m boards --check
gate shell sh -n stack/bootstrap.sh stack/check.sh infra/nginx/start.sh infra/localstack/start.sh

if [ -n "$failed" ]; then
    printf '\n  failed:%s\n' "$failed"
    exit 1
fi
