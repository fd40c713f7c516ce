#!/usr/bin/env bash
# Every headline claim with its figure, measured now. `make proof`.
set -euo pipefail
cd "$(dirname "$0")/.."

claim() { printf '\n%s\n' "$*"; }
# The figures that a test prints, without the test runner's own words; the test's failure is ours.
figures() {
    cargo test --locked --quiet --package "$1" --test "$2" -- --nocapture --test-threads=1 "$3" 2>&1 |
        sed -E '/^$|^running |^test /d; s/^/    /'
}

claim "Real data, written by a client that nobody here wrote, equals its copy in every column"
figures cdc-agent whole real_data::
claim "Every committed state is one instant of the source; without SNAPSHOT, or with an upper version filter, it is not"
figures cdc-agent whole one_cut::
claim "Killed at any moment, over a slow line, with PostgreSQL restarted under it: exact"
figures cdc-agent whole killed::
claim "Without the check of the sequence the figures go wrong"
figures cdc-agent apply without_the_sequence_check
claim "The source's lines broken anywhere; signals"
figures cdc-agent whole lines::
claim "Lost history is loaded again"
figures cdc-agent whole history::
claim "Loads of many cuts, killed and resumed"
figures cdc-agent whole loads::
claim "Mistakes are named with their remedy"
figures cdc-agent whole bad_input::
claim "A scan of 1,000,000 rows of 15 columns through the driver, per CPU-second of the client"
cargo run --locked --quiet --release --package mssql-sim --example scan_rate | sed 's/^/    /'
claim "The whole demo against its source"
target/debug/demo --smoke 2>/dev/null | sed 's/^/    /'
