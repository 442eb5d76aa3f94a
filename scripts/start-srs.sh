#!/bin/sh
# Runs SRS beside the relay: chooses how, then becomes `vibesflow srs run`. See --help.
set -eu

help() {
  cat <<'END'
Usage: scripts/start-srs.sh [options of "vibesflow srs run"]

Runs SRS, the media server for production, and keeps it running until Ctrl-C or SIGTERM.

SRS_DRIVER says how. Where it is not set:
  binary    SRS_BINARY names an executable
  docker    else, where a Docker engine answers
Neither of them: nothing is run, exit code 69.

Examples:
  SRS_BINARY=/usr/local/srs/objs/srs scripts/start-srs.sh
  SRS_DRIVER=external scripts/start-srs.sh      (only watches one that somebody else runs)

Settings are those of the relay: the environment, and .env in this directory.
Exit codes: those of "vibesflow srs run --help".
END
}

case "${1:-}" in
  -h | --help)
    help
    exit 0
    ;;
esac

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
program="$root/dist/cli/vibesflow.js"
if [ ! -f "$program" ]; then
  echo "start-srs: the relay is not built yet: npm ci && npm run build" >&2
  exit 69
fi

# A line of .env, as far as it is needed here; the program itself reads the file properly.
from_file() {
  [ -f .env ] || return 0
  sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*=[[:space:]]*[\"']\{0,1\}\([^\"'#]*\).*/\2/p" .env | tail -n 1
}

driver=${SRS_DRIVER:-$(from_file SRS_DRIVER)}
if [ -z "$driver" ]; then
  if [ -n "${SRS_BINARY:-$(from_file SRS_BINARY)}" ]; then
    driver=binary
  elif docker info >/dev/null 2>&1; then
    driver=docker
  else
    echo "start-srs: no SRS to run: set SRS_BINARY to its executable, or install Docker (see --help)" >&2
    exit 69
  fi
  SRS_DRIVER=$driver
  export SRS_DRIVER
fi

exec node "$program" srs run "$@"
