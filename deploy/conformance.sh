#!/usr/bin/env bash
# The double's claims as a table, each with the figure that its tests counted. `make conformance`.
#
# CONFORMANCE=short asks less. MSSQL_TEST_URL=mssql://user:password@host:port asks that server what a real one can be asked.
set -euo pipefail
cd "$(dirname "$0")/.."
export CONFORMANCE=${CONFORMANCE:-long}

# What tests print, without the test runner's words: numbers of one thing are added up. Without a figure the tests are counted.
figure() {
    awk '
        { sub(/^test .* \.\.\. /, ""); sub(/^\.+/, "") }
        /^test result:/ { passed += $4 }
        /^$|^ok$|^running |^test |^seed / { next }
        match($0, /^[0-9]+ /) && /facts$|levels$/ { text = substr($0, RLENGTH + 1); if (!(text in sums)) order[++count] = text; sums[text] += $1; next }
        { lines[++other] = $0 }
        END {
            for (i = 1; i <= count; i++) figure = figure "; " sums[order[i]] " " order[i]
            for (i = 1; i <= other; i++) figure = figure "; " lines[i]
            print figure == "" ? passed " tests" : substr(figure, 3)
        }'
}

row() {
    local claim=$1 program=$2 said
    shift 2
    if ! said=$(cargo test --locked --quiet --package mssql-sim --test "$program" -- --nocapture --test-threads=1 "$@" 2>&1); then
        printf '%s\n' "$said" >&2
        exit 1
    fi
    printf '| %s | %s |\n' "$claim" "$(figure <<<"$said")"
}

printf '| claim | figure |\n|---|---|\n'
row "recorded answers of a real server: values, types, nullability, counts, errors, order of tokens" conformance facts::
row "Change Tracking" conformance tracking::
row "overlapping transactions: anomalies, waiting, deadlocks, locks left behind" conformance isolation::
row "types: extremes, NULL, conversions" conformance types::
row "prepared statements, outputs, return values" conformance calls:: protocol::
if [ -n "${MSSQL_TEST_URL:-}" ]; then
    exit 0
fi
row "random queries, compared with PostgreSQL" conformance random::
row "bytes of MS-TDS's examples" wire golden:: examples::
row "hostile bytes" wire hostile::
row "Microsoft's ODBC driver, FreeTDS, python-tds, tedious, tiberius: conversations" outsiders conversation::
row "the same five: every type written by each, read by each" outsiders matrix::
row "the same five: TLS" outsiders tls::
row "the same five: real data" outsiders real_data::
row "freebcp" outsiders freebcp::
row "faults, clock, gate, restore, failover" double
rows=10000000
[ "$CONFORMANCE" = long ] || rows=1000000
cargo run --locked --quiet --release --package mssql-sim --example scale "$rows" | tail -n +3
