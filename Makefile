# make demo    everything on this machine, live, until Ctrl-C
# make smoke   the same without a person: starts, moves, rests, compares, ends
# make test    every test, set-up included
# make proof   every headline claim with its figure
# make conformance   the claims of the SQL Server double with their figures; with MSSQL_TEST_URL, of a real server
.PHONY: demo smoke test proof conformance setup page programs

CARGO ?= cargo

demo: setup page programs
	target/debug/demo

smoke: setup page programs
	target/debug/demo --smoke

test: setup
	deploy/test.sh

proof: setup page programs
	deploy/proof.sh

conformance: setup
	deploy/conformance.sh

# What is missing is installed where that is allowed, and named where it is not.
setup:
	deploy/setup.sh

page: frontend/dist/index.html

frontend/dist/index.html: $(shell find frontend/src frontend/public -type f) frontend/index.html frontend/package-lock.json
	cd frontend && npm ci --no-audit --no-fund && npm run build

# Cargo knows what is old.
programs:
	$(CARGO) build --locked --bins
