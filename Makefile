# Every verb of the project; each does the set-up that it needs.
PYTHON := .venvs/app/bin/python
STACK := $(PYTHON) -m stack
export PYTHONPATH := contract
SHELL := /bin/sh

.PHONY: up down status logs deploy psql tasks doctor clean load test test-faults check format dashboards bench help
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: .venvs/.app-ready .venvs/.localstack-ready ## start everything, deploy the functions, send a flower through
	@$(STACK) up

down: .venvs/.app-ready ## stop everything; what is stored stays
	@$(STACK) down

status: .venvs/.app-ready ## one line a part; exit code 1 when one is not well
	@$(STACK) status

# `make logs` follows all parts, `make logs worker` (or part=worker) one; `make logs id=...` is one task's way.
ifeq (logs,$(firstword $(MAKECMDGOALS)))
part ?= $(word 2,$(MAKECMDGOALS))
# A log and a verb: after `logs` it is the log, and nothing is deployed.
deploy: STACK := :
ifneq (,$(filter-out deploy,$(word 2,$(MAKECMDGOALS))))
.PHONY: $(word 2,$(MAKECMDGOALS))
$(word 2,$(MAKECMDGOALS)): logs ; @:
endif
endif
logs: .venvs/.app-ready ## follow all parts, or one: make logs worker; one task: id=ID; not follow: follow=0
	@$(STACK) logs $(part) $(if $(id),--id="$(id)") $(if $(filter 0,$(follow)),--no-follow)

deploy: .venvs/.app-ready ## package the functions and deploy what changed
	@$(STACK) deploy

psql: .venvs/.app-ready ## open psql in database celery_db as celery_user
	@$(STACK) psql

tasks: .venvs/.app-ready ## list jobs; make tasks args="show ID", "requeue ID", "cancel ID"
	@$(STACK) tasks $(args)

doctor: .venvs/.app-ready ## what is installed, what is loaded, what differs, what is stuck
	@$(STACK) doctor

clean: .venvs/.app-ready ## stop everything and delete all that is stored
	@$(STACK) clean

load: .venvs/.dev-ready ## load the running stack; rate=20 seconds=60 batch=0.1, web=1 for Locust's own page
	@$(PYTHON) -m load $(foreach name,rate seconds batch patience,$(if $($(name)),--$(name)=$($(name)))) $(if $(web),--web)

test: .venvs/.dev-ready .venvs/.localstack-ready .venvs/.sam-ready ## the whole suite, on ports and a folder of its own
	@$(STACK) packages --tests
	@$(PYTHON) -m pytest $(args)

test-faults: .venvs/.dev-ready .venvs/.localstack-ready ## every fault, on a stack of its own (under 20 minutes)
	@$(STACK) packages
	@$(PYTHON) -m pytest -m faults tests/faults $(args)

check: .venvs/.dev-ready .venvs/.localstack-ready .venvs/.sam-ready ## the gate: style, types, imports, templates, configuration
	@$(STACK) packages
	@stack/check.sh

bench: .venvs/.dev-ready .venvs/.localstack-ready ## cold starts, the gateway's two ways and the cost of metrics, as ratios
	@PYTHONPATH=.:contract $(PYTHON) bench/cold_import.py
	@$(PYTHON) bench/cold_start.py
	@$(PYTHON) bench/gateway_path.py
	@$(PYTHON) bench/metrics_provider.py
	@PYTHONPATH=.:contract $(PYTHON) bench/telemetry_cost.py

format: .venvs/.dev-ready ## put the code into the one format
	@.venvs/app/bin/ruff check --fix --quiet . ; .venvs/app/bin/ruff format --quiet .

dashboards: .venvs/.dev-ready ## write infra/grafana/dashboards/*.json from infra/grafana/boards
	@PYTHONPATH=infra/grafana $(PYTHON) -m boards

.venvs/.app-ready: requirements/app.txt requirements/uv.txt stack/bootstrap.sh
	@stack/bootstrap.sh app

.venvs/.dev-ready: .venvs/.app-ready requirements/dev.txt
	@stack/bootstrap.sh dev

.venvs/.localstack-ready: .venvs/.app-ready requirements/localstack.txt requirements/lambda-runtime.txt infra/localstack/pyproject.toml
	@stack/bootstrap.sh localstack

.venvs/.sam-ready: .venvs/.app-ready requirements/sam.txt
	@stack/bootstrap.sh sam
