#!/bin/sh
# One workflow, three interpreters, from a terminal in this folder. `make demo` runs it.
set -eu
cd "$(dirname "$0")"

bold='' plain=''
if [ -t 1 ]; then
  bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi

say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }

show() {
  printf '$ %s\n' "$*"
  "$@"
}

say "Live: 500 orders, 25 customers at a time. Some must fail, and one line is no order."
show effactor run shop:checkout_all --input orders.jsonl

say "Dry: what a checkout would do, and what if the card is declined."
show effactor dry-run shop:checkout_one
show effactor dry-run shop:checkout_one --answers declining --format mermaid

say "Simulated: a version with a bug. In which order of messages does it oversell?"
status=0
show effactor simulate shop:oversells --schedules 2000 --seed 0 || status=$?
if [ "$status" -ne 1 ]; then
  echo "the demo failed: simulate should have found the bug, with exit status 1, not $status" >&2
  exit 1
fi

say "The same schedule again, from its token."
token=$(effactor simulate shop:oversells --json | sed -n 's/.*"token": "\(.*\)".*/\1/p')
status=0
show effactor replay shop:oversells "$token" --trace || status=$?
if [ "$status" -ne 1 ]; then
  echo "the demo failed: the replay should fail as the schedule did, not exit with $status" >&2
  exit 1
fi

say "Simulated: the fixed version, with a slow bank, timeouts and a blocked card."
show effactor simulate shop:never_oversold --schedules 2000 --seed 0
