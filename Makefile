# make demo      the whole shop on this machine, against the sandbox; PORT=8080 moves it, PROFILE=hostile changes the sandbox
# make test      everything on PostgreSQL, on SQLite what differs there, with a real broker and browser; ARGS="tests/orders -x"
# make test-long minutes of load, faults and kills, and what make test takes a sample of
# make styleguide  take the pictures of components anew that make test-long compares with
# make check     the linters
# make lock      write the lock files again from requirements/*.in
# make audit-dependencies  known holes in the locked packages, and secrets in the repository; needs the net
# make sbom      a list of what the shop is made of (CycloneDX), into var/sbom.json
# make graph     draw the rooms and what they import into docs/rooms.svg; fails on a circle
# make messages  collect the texts for translation (needs GNU gettext)
# make clean     remove what the targets above made, the demo's data included

.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

# What the linters and the message tools need to load the settings; a developer's .env stays out of it.
TOOLS := DOTENV=/dev/null SECRET_KEY=tools DEBUG=true

# Findings that somebody has looked at and that do not concern us: --ignore-vuln ID, each with its reason beside it.
PIP_AUDIT ?=

# Hashes of packages, and texts of people.
NO_SECRETS_IN := ^(requirements/.*\.txt|locale/.*|static/.*|\.secrets\.baseline)$$

.PHONY: help demo test test-long styleguide check lock audit-dependencies secrets-baseline sbom graph messages compile clean interpreter packages-demo packages-dev

help:
	@sed -n 's/^# make/make/p' Makefile

# exec: Ctrl-C and SIGTERM reach the demo itself, which stops what it started.
demo: packages-demo compile
	@PORT=$(PORT) PROFILE=$(PROFILE) exec $(BIN)/python manage.py demo

test: packages-dev compile
	@exec $(BIN)/python -m tests.provision $(ARGS)

test-long: packages-dev compile
	@exec $(BIN)/python -m tests.provision --long $(ARGS)

styleguide: packages-dev compile
	@RENEW_STYLEGUIDE=1 exec $(BIN)/python -m tests.provision --long tests/browser/styleguide

check: packages-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m djhtml --tabwidth 2 --check templates
	$(BIN)/python -m tests.storefront.template_layout
	$(BIN)/hadolint --failure-threshold style Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/compose-lint --no-env --fail-on medium --config deploy/compose-lint.yml --strict-config --skip-suppressed docker-compose.yml
	$(TOOLS) $(BIN)/python -m mypy .
	$(TOOLS) $(BIN)/lint-imports
	$(TOOLS) $(BIN)/python manage.py makemigrations --check --dry-run
	$(TOOLS) $(BIN)/python -m tests.provision.lint_migrations
	@echo "All checks passed."

lock: packages-dev
	@for name in base sentry traces demo dev; do \
		$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
			requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

# Asks public databases of vulnerabilities about every locked package: not for .ci/run, which needs no net.
# 3 is detect-secrets' word for "only line numbers have changed"; the baseline holds what somebody has looked at.
audit-dependencies: packages-dev
	@mkdir -p var
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off $(PIP_AUDIT) -r requirements/dev.txt
	@cp .secrets.baseline var/secrets.baseline
	@$(BIN)/detect-secrets-hook --baseline var/secrets.baseline $$(git ls-files); status=$$?; \
	if [ $$status != 0 ] && [ $$status != 3 ]; then \
		echo "If none of these is a secret: make secrets-baseline, and commit .secrets.baseline."; exit 1; fi
	@echo "No known holes, no new secrets."

secrets-baseline: packages-dev
	$(BIN)/detect-secrets scan --exclude-files '$(NO_SECRETS_IN)' > var/secrets.baseline
	@mv var/secrets.baseline .secrets.baseline

sbom: packages-dev
	@mkdir -p var
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON -o var/sbom.json requirements/base.txt
	@echo "Written to var/sbom.json."

graph: packages-dev
	@$(BIN)/python docs/graph.py

messages: packages-dev
	@command -v xgettext >/dev/null || { echo "GNU gettext is needed; on Debian and Ubuntu: apt-get install gettext"; exit 1; }
	@mkdir -p locale
	$(TOOLS) $(BIN)/python manage.py makemessages $(foreach folder,$(wildcard locale/*),--locale $(notdir $(folder))) --no-obsolete --no-wrap --add-location file \
		--ignore '.venv/*' --ignore 'tests/*' --ignore 'bench/*' --ignore 'var/*'

# pybabel writes the .mo files, because compilemessages needs GNU gettext.
compile:
	@if [ -n "$$(find locale -name '*.po' 2>/dev/null)" ]; then $(BIN)/python -m babel.messages.frontend -q compile -d locale -D django; fi

clean:
	rm -rf $(VENV) var staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# --- The virtual environment ------------------------------------------------------------------------------------------
# A stamp holds the checksum of the lock file it was made from: only a changed lock file installs again.

packages-demo packages-dev: packages-%: interpreter
	@sum=$$(cksum < requirements/$*.txt); \
	if [ "$$sum" != "$$(cat $(VENV)/.$* 2>/dev/null)" ]; then \
		echo "Installing the packages of requirements/$*.txt into $(VENV) ..."; \
		$(BIN)/python -m pip install -q --disable-pip-version-check --no-input --no-compile --require-hashes -r requirements/$*.txt \
			&& echo "$$sum" > $(VENV)/.$*; \
	fi

interpreter:
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
			echo "Python 3.11 or newer is needed; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)"; \
			echo "Name another one like this: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }; \
		$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
			echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }; \
		$(PYTHON) -m venv --clear $(VENV); }
