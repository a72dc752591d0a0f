#!/usr/bin/env bash
# What `make setup` and `make setup-dev` do: a virtual environment, locked packages into it, Debian packages for tests.
# Names exactly what is missing; installs Debian packages itself only as root.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }
need() {
  say "missing: $1"
  say "install it with:  apt-get install -y $1"
  exit 1
}

venv() {
  local where=$1
  [ -n "${PYTHON:-}" ] || need "python3 (3.11 or newer) python3-venv"
  "$PYTHON" -c 'import ensurepip' 2>/dev/null || need "python3-venv"
  say "making $where with $("$PYTHON" --version) ($PYTHON)"
  [ -x "$where/bin/python" ] || "$PYTHON" -m venv "$where" || need "python3-venv"
}

install() {
  local bin=$1/bin lock=$2
  say "installing what $lock names (hashes are checked)"
  if [ -x "$bin/uv" ]; then
    "$bin/uv" pip install --quiet --python "$bin/python" --require-hashes -r "$lock"
  else
    "$bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r "$lock"
  fi
}

editable() {
  local bin=$1/bin
  if [ -x "$bin/uv" ]; then
    "$bin/uv" pip install --quiet --python "$bin/python" --no-build-isolation --no-deps -e .
  else
    "$bin/python" -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
  fi
}

dev() {
  local missing=() pair
  for pair in chromium:chromium psql:postgresql-client ip:iproute2 openssl:openssl pdftotext:poppler-utils; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair#*:}")
  done
  command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
  fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing+=(fonts-noto-cjk fontconfig)
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    say "missing Debian packages; as root:  apt-get install -y ${missing[*]}"
    exit 1
  fi
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

"$@"
