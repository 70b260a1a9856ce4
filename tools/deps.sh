#!/usr/bin/env bash
# Installs the programs that `make test` runs besides Go, where it may (root on a
# machine with apt-get), and otherwise names what is missing. What stays missing
# is skipped by the tests and listed at their end; with CI=true it is an error.
set -euo pipefail
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# program (or one of several, with |) and the Debian package that has it.
# internal/testenv/need.go knows the same ones, and a test compares the two.
wanted="
gcc gcc
redis-server redis-server
prometheus prometheus
promtool prometheus
amtool prometheus-alertmanager
prometheus-alertmanager|alertmanager prometheus-alertmanager
sshd openssh-server
ansible-playbook ansible-core
apache2 apache2
influxd influxdb
ps procps
chromium|chromium-browser|google-chrome chromium
"

missing() { # prints the packages that are not there, one a line
  while read -r programs package; do
    [ -n "$programs" ] || continue
    found=no
    for program in ${programs//|/ }; do
      command -v "$program" >/dev/null && found=yes
    done
    [ "$found" = yes ] || echo "$package"
  done <<<"$wanted" | sort -u
  # Without a Japanese font the screenshots show boxes.
  [ -n "$(fc-list :lang=ja 2>/dev/null | head -n 1)" ] || echo fonts-noto-cjk
}

install() {
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  # Debian's packages start their daemons when they are installed. Tests start
  # their own, on ports of their own, so say no for the moment.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  "${apt[@]}" update || echo "apt-get update failed; trying with what is known" >&2
  "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null && return
  for package in "$@"; do # one that does not exist must not keep the others away
    "${apt[@]}" install -y --no-install-recommends "$package" >/dev/null || true
  done
}

mapfile -t packages < <(missing)
[ ${#packages[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing: ${packages[*]}"
  install "${packages[@]}"
  mapfile -t packages < <(missing)
  [ ${#packages[@]} -gt 0 ] || exit 0
fi
echo "missing: ${packages[*]}" >&2
echo "on Debian or Ubuntu: sudo apt-get install --no-install-recommends ${packages[*]}" >&2
if ! command -v gcc >/dev/null; then
  echo "without gcc the race detector cannot be built" >&2
  exit 1
fi
if [ "${CI:-}" = true ]; then
  exit 1
fi
echo "tests that need them are skipped and listed at the end" >&2
