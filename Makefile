# `make help` lists the verbs. Nothing here needs root or Docker.
# The first one you call installs what the locks name into .tools/, .venv/ and node_modules/.

UV_VERSION := 0.13.8
PYTHON3 ?= python3
UV := .tools/uv/bin/uv
PYTHON := .venv/bin/python
INSTALLED := .venv/.synced node_modules/.package-lock.json

# Two a core: many tests wait for servers and leases.
TEST_PROCESSES = $(shell echo $$((2 * $$(nproc) > 8 ? 8 : 2 * $$(nproc))))

# make has programs of these names.
AS :=
GET :=

export UV_PYTHON_DOWNLOADS := never
export SUPABASE_TELEMETRY_DISABLED := 1

# A run of the tests starts hundreds of processes; compiled once is enough.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install up ask example down reset status logs env test check migration lock mutants bench lint format

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install what the locks name, where it is not installed yet

up: $(INSTALLED) ## Start Freehold with the demo portfolio; PORTS="db=55322 api=55321" chooses ports
	@$(if $(PORTS),$(PYTHON) -m scripts.stack ports $(PORTS))
	@$(PYTHON) -m scripts.up $(ARGS)

ask: $(INSTALLED) ## Ask the API as one of the demo's people: AS=manager@maple.test GET='leases?limit=3'
	@$(if $(and $(AS),$(GET)),,$(error Say who asks for what: make ask AS=manager@maple.test GET='leases?limit=3'))
	@$(PYTHON) -m scripts.ask '$(AS)' '$(GET)' $(ARGS)

example: $(INSTALLED) ## Serve docs/examples/address-form to a browser; ARGS="--port=8000"
	@$(PYTHON) -m scripts.example $(ARGS)

down: $(INSTALLED) ## Stop it; the data stays
	@$(PYTHON) -m scripts.stack down $(ARGS)

reset: $(INSTALLED) ## Stop it and remove its data
	@$(PYTHON) -m scripts.stack reset $(ARGS)

status: $(INSTALLED) ## Show each part: running, restarted, ready
	@$(PYTHON) -m scripts.stack status $(ARGS)

logs: $(INSTALLED) ## Show the ends of the logs; PART=postgrest for one, ARGS=--follow to go on
	@$(PYTHON) -m scripts.stack logs $(PART) $(ARGS)

env: $(INSTALLED) ## Print addresses and keys as KEY=value lines
	@$(PYTHON) -m scripts.stack env $(ARGS)

test: $(INSTALLED) ## Run the tests on a stack of their own; ARGS="-k leases" chooses
	@$(PYTHON) -m pytest --numprocesses=$(TEST_PROCESSES) $(ARGS)

check: $(INSTALLED) ## Check migrations, SQL, Python and types
	@$(PYTHON) -m scripts.check $(ARGS)

migration: $(INSTALLED) ## Write the next migration from the sources: NAME=add_rent_charges
	@$(if $(NAME),,$(error Give the migration a name, as in `make migration NAME=add_rent_charges`))
	@$(PYTHON) -m scripts.migration $(NAME) $(ARGS)

lock: $(INSTALLED) ## Record migrations that you have reviewed in supabase/migrations.lock
	@$(PYTHON) -m scripts.migration --lock

mutants: $(INSTALLED) ## Break each policy and see the tests catch it
	@$(PYTHON) -m scripts.mutants $(ARGS)

bench: $(INSTALLED) ## Measure, and compare with the alternatives
	@$(PYTHON) -m bench $(ARGS)

lint: $(INSTALLED) ## Check style and types of Python only
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy

format: $(INSTALLED) ## Format Python
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

$(UV):
	@command -v $(PYTHON3) > /dev/null || { echo "Python is missing: install Python 3.11 or newer" >&2; exit 1; }
	@echo "Installing uv $(UV_VERSION) into .tools/uv"
	@$(PYTHON3) -m venv --clear .tools/uv || { \
		echo "Python can't make a virtual environment: install its venv module (Debian, Ubuntu: python3-venv)" >&2; exit 1; }
	@.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || { rm -f $(UV); exit 1; }

.venv/.synced: uv.lock pyproject.toml | $(UV)
	@$(UV) python find --quiet '>=3.11' > /dev/null || { \
		echo "Python 3.11 or newer is needed, and $$($(PYTHON3) --version) is all there is: install a newer one" >&2; exit 1; }
	@$(UV) sync --locked
	@touch $@

# npm writes this file itself, once everything is in place.
node_modules/.package-lock.json: package-lock.json
	@command -v node > /dev/null && command -v npm > /dev/null || { \
		echo "Node.js or its npm is missing: install Node.js 20 or newer" >&2; exit 1; }
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { \
		echo "Node.js 20 or newer is needed, and this is $$(node --version): install a newer one" >&2; exit 1; }
	@npm ci --no-audit --no-fund --ignore-scripts
