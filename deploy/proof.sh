#!/usr/bin/env bash
# Every headline claim with its figure, measured now. `make proof`.
set -euo pipefail
cd "$(dirname "$0")/.."

claim() { printf '\n%s\n' "$*"; }
# The figures that a test prints, without the test runner's own words; the test's failure is ours.
figures() {
    cargo test --locked --quiet --workspace --test "$1" -- --nocapture --test-threads=1 "$2" 2>&1 |
        sed -E '/^$|^running |^test /d; s/^/    /'
}

claim "Real data, written by a client that nobody here wrote, equals its copy in every column"
figures whole real_data::
claim "Every committed state is one instant of the source; without SNAPSHOT, or with an upper version filter, it is not"
figures whole one_cut::
claim "Killed at any moment, over a slow line, with PostgreSQL restarted under it: exact"
figures whole killed::
claim "Without the check of the sequence the figures go wrong"
figures apply without_the_sequence_check
claim "The source's lines broken anywhere; signals"
figures whole lines::
claim "Lost history is loaded again"
figures whole history::
claim "A restored source is found out, behind, level and overtaken, with the agent there and away"
figures whole restored::
claim "Loads of many cuts, killed and resumed"
figures whole loads::
claim "What differs from the source is found and repaired, and nothing else, while changes stream"
figures whole verification::
claim "A paused table goes on where it stopped; keys in quarantine are read again"
figures whole operator::
claim "A full journal, a cut of too many bytes, a source without snapshots"
figures whole bounds::
claim "Mistakes are named with their remedy"
figures whole bad_input::
claim "The double of SQL Server, under all of this"
CONFORMANCE=short deploy/conformance.sh | sed 's/^/    /'
claim "The whole demo against its source"
target/debug/demo --smoke 2>/dev/null | sed 's/^/    /'
