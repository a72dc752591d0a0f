#!/usr/bin/env bash
# What `make setup` and `make setup-dev` do: a virtual environment, locked packages into it, Debian packages for tests and for printing.
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
  for pair in chromium:chromium psql:postgresql-client ip:iproute2 openssl:openssl pdftotext:poppler-utils cc:gcc; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair#*:}")
  done
  command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
  [ -d /usr/lib/rabbitmq/lib ] || missing+=(rabbitmq-server)
  [ -e /usr/include/dlfcn.h ] || missing+=(libc6-dev)
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    say "missing Debian packages; as root:  apt-get install -y ${missing[*]}"
    exit 1
  fi
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# The fonts of GB/T 9704 that are free lie inside a large TeX package, of which nothing else is wanted.
FANDOL=(FandolFang-Regular FandolSong-Regular FandolSong-Bold FandolHei-Regular FandolKai-Regular)

has_library() { [[ $(/sbin/ldconfig -p 2>/dev/null) == *"$1"* ]]; }
has_noto() { local list; list=$(fc-list 2>/dev/null) && [[ $list == *NotoSerifCJK* ]]; }
has_fonts() {
  local list font
  list=$(fc-list 2>/dev/null) || return 1
  for font in "${FANDOL[@]}"; do [[ $list == *"/$font.otf"* ]] || return 1; done
}

print() {
  local missing=()
  has_library libpango-1.0.so.0 || missing+=(libpango-1.0-0)
  has_library libpangoft2-1.0.so.0 || missing+=(libpangoft2-1.0-0)
  has_library libharfbuzz-subset.so.0 || missing+=(libharfbuzz-subset0)
  command -v fc-list >/dev/null 2>&1 || missing+=(fontconfig)
  command -v pdftotext >/dev/null 2>&1 || missing+=(poppler-utils)
  has_noto || missing+=(fonts-noto-cjk)
  if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ]; then
      say "documents cannot be printed to PDF yet; as root:  apt-get install -y ${missing[*]}"
      exit 1
    fi
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  has_fonts || fonts
}

fonts() {
  local where room
  if [ "$(id -u)" -eq 0 ]; then where=/usr/local/share/fonts/yiwang; else where=${XDG_DATA_HOME:-$HOME/.local/share}/fonts/yiwang; fi
  room=$(mktemp -d)
  say "fetching the fonts of official documents (49 MB are loaded, 31 MB kept) into $where"
  ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || { [ "$(id -u)" -eq 0 ] && apt-get update -qq; } || true
  chmod 755 "$room"
  if ! (cd "$room" && apt-get download -qq -o APT::Sandbox::User=root -o Acquire::Retries=2 -o Acquire::http::Timeout=30 texlive-lang-chinese >&2); then
    rm -r "$room"
    say "the package texlive-lang-chinese cannot be loaded: no documents can be printed to PDF until it can."
    say "as root:  apt-get update   and then  ops/setup-debian.sh print"
    exit 1
  fi
  dpkg-deb --fsys-tarfile "$room"/texlive-lang-chinese_*.deb | tar -x -C "$room" --wildcards --no-anchored "${FANDOL[@]/%/.otf}"
  mkdir -p "$where"
  find "$room" -name 'Fandol*.otf' -exec install -m 644 -t "$where" {} +
  rm -r "$room"
  fc-cache "$where"
  has_fonts || { say "the fonts lie in $where, but fontconfig does not find them: is this folder among those in  fc-cache -v ?"; exit 1; }
}

"$@"
