# Python: uv of a pinned version, the lowest interpreter that will do, and a venv by hash of what goes into it.

UV_VERSION=0.13.8
UV=$ROOT/opt/homeport/uv/bin/uv

# need_uv: the pinned uv, in a venv of its own.
need_uv() {
  local home=$ROOT/opt/homeport/uv
  text_of "$home/.version"
  [[ $REPLY == "$UV_VERSION"$'\n' ]] || with_host install_uv "$home"
  # Commands of apps may say `uv run`.
  [[ -e $ROOT/usr/local/lib/homeport/uv ]] || {
    install -d -m 0755 "$ROOT/usr/local/lib/homeport"
    ln -sfn "$UV" "$ROOT/usr/local/lib/homeport/uv"
  }
}

install_uv() {
  local home=$1 log=$STAGE/uv.log
  [[ ! -f $home/.version || $(<"$home/.version") != "$UV_VERSION" ]] || return 0
  say "host: installs uv $UV_VERSION"
  (
    umask 022
    rm -rf "$home"
    mkdir -p "${home%/*}"
    python3 -m venv "$home" && "$home/bin/pip" install -q --disable-pip-version-check "uv==$UV_VERSION"
  ) >"$log" 2>&1 {APP_LOCK}>&- 4>&- </dev/null || {
    tail -n 10 "$log" >&2
    fail "uv could not be installed." "pip said the lines above." "give the host access to PyPI, or install uv $UV_VERSION to $home"
  }
  chmod 0755 "$ROOT/opt/homeport"
  printf '%s\n' "$UV_VERSION" >"$home/.version"
  changed "host: uv $UV_VERSION"
}

# python_at_least <version>: path of the lowest interpreter from that version on, in REPLY; installed where it lacks.
python_at_least() {
  local wanted=$1 name
  lowest_python "$wanted" && return
  name=$(installable_python "$wanted")
  if [[ -n $name ]]; then
    # shellcheck disable=SC2086 # one or two names
    with_host install_packages $name
    lowest_python "$wanted" && return
  fi
  # Interpreters that uv fetches need a site that many hosts can't reach; then this is the error that counts.
  if uv_env "$UV" python install -q "$wanted" >"$STAGE/python.log" 2>&1; then
    REPLY=$(uv_env "$UV" python find --managed-python "$wanted") && return
  fi
  tail -n 5 "$STAGE/python.log" >&2
  fail "This host has no Python $wanted or newer." \
    "Neither it nor its packages have one, and uv could not fetch one (lines above)." \
    "choose a host with a newer system, or lower the runtime's version"
}

# lowest_python <version>
lowest_python() {
  local path minor best=999
  for path in "$ROOT"/usr/bin/python3.* "$ROOT"/usr/local/bin/python3.*; do
    minor=${path##*/python3.}
    [[ $minor =~ ^[0-9]+$ && -x $path ]] || continue
    if ((minor >= ${1#3.} && minor < best)); then best=$minor REPLY=$path; fi
  done
  ((best < 999))
}

# installable_python <version>: the packages that bring the lowest one that will do; nothing where there is none.
installable_python() {
  local minor
  for ((minor = ${1#3.}; minor < ${1#3.} + 8; minor++)); do
    if [[ $MANAGER == apt ]]; then
      [[ -z $(apt-cache search --names-only "^python3\\.$minor-venv\$") ]] || { echo "python3.$minor python3.$minor-venv" && return; }
    else
      ! dnf -q list --available "python3.$minor" >/dev/null 2>&1 || { echo "python3.$minor" && return; }
    fi
  done
}

# uv_env <command…>: as the app's user, with uv's settings.
uv_env() {
  as_app env "UV_CACHE_DIR=/var/cache/homeport/$ID/uv" UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy UV_NO_PROGRESS=1 UV_NO_CONFIG=1 \
    "UV_PYTHON_INSTALL_DIR=$HOME_OF_APP/pythons" UV_PYTHON_DOWNLOADS=manual UV_COMPILE_BYTECODE=1 "$@"
}

# python_kind <folder> <auto|requirements.txt|uv.lock>: how the dependencies are described, in REPLY.
python_kind() {
  REPLY=none
  case ${2:-auto} in
    auto)
      if [[ -f $1/uv.lock ]]; then
        REPLY=uv.lock
      elif [[ -f $1/requirements.txt ]]; then
        REPLY=requirements.txt
      elif [[ -f $1/pyproject.toml ]]; then
        REPLY=pyproject.toml
      fi
      ;;
    *)
      REPLY=$2
      [[ -f $1/$2 ]] || fail "The source has no $2." "The runtime names it as what describes the dependencies." \
        "add it to the source, or correct the runtime's \`dependencies\`"
      ;;
  esac
}

# is_package <folder>: whether installing the project means building it, so that its venv belongs to one release.
is_package() {
  grep -qE '^\[build-system\]|^package *= *true' "$1/pyproject.toml" 2>/dev/null
}

# python_dependencies <service> <release folder>: links `.venv` to a venv that has what the source asks for.
python_dependencies() {
  local service=$1 folder=$2 kind interpreter own='' key venv file
  need_uv
  python_at_least "${SERVICE[$service:version]}"
  interpreter=$REPLY
  python_kind "$folder" "${SERVICE[$service:dependencies]:-auto}"
  kind=$REPLY
  case $kind in
    uv.lock | pyproject.toml) ! is_package "$folder" || own=${folder##*/} ;;
    requirements.txt) ! grep -qE '^ *(-e|\.|/|file:)|@ *file:' "$folder"/requirements*.txt || own=${folder##*/} ;;
  esac
  file=$(sums_in "$folder" uv.lock pyproject.toml .python-version 'requirements*.txt' 'constraints*.txt')
  key_of "$file" "$kind" "$own" "$interpreter" "$(readlink -f "$interpreter")" "$UV_VERSION"
  key=$REPLY
  if dependency_folder "$key"; then
    venv=$REPLY
    say "$service: installs Python packages ($kind, ${interpreter##*/})"
    install_python "$service" "$folder" "$kind" "$interpreter" "$venv" "$own"
    dependencies_done "$venv"
  fi
  ln -sfn "../../deps/$key" "$folder/.venv"
}

# install_python <service> <release folder> <kind> <interpreter> <venv> <own>
install_python() {
  local service=$1 folder=$2 kind=$3 interpreter=$4 venv=$5 own=$6
  local what="The Python packages of $service could not be installed." fix="see the lines above; the host needs access to PyPI"
  logged "$service" "$what" "$fix" uv_env "$UV" venv -q --allow-existing --python "$interpreter" "$venv"
  # Building a project writes into its folder.
  [[ -z $own ]] || chown -hR "$APP_USER:$APP_USER" "$folder"
  case $kind in
    uv.lock) uv_in "$service" "$folder" "$venv" sync -q --frozen --no-dev --no-editable ;;
    requirements.txt) uv_in "$service" "$folder" "$venv" pip install -q -r requirements.txt ;;
    pyproject.toml)
      if [[ -n $own ]]; then
        uv_in "$service" "$folder" "$venv" pip install -q .
      else
        uv_in "$service" "$folder" "$venv" pip install -q -r pyproject.toml
      fi
      ;;
  esac
  [[ -z $own ]] || chown -hR root:root "$folder"
}

# shellcheck disable=SC2016 # for another shell
UV_IN='cd "$1" && shift && exec "$@"'

# uv_in <service> <release folder> <venv> <uv's arguments…>
uv_in() {
  local service=$1 folder=$2 venv=$3
  shift 3
  logged "$service" "The Python packages of $service could not be installed." \
    "correct what the lines above name; the host needs access to PyPI" \
    uv_env "UV_PROJECT_ENVIRONMENT=$venv" "VIRTUAL_ENV=$venv" sh -c "$UV_IN" sh "$folder" "$UV" "$@"
}

# compile_python <release folder>: bytecode beside the source, since nobody may write there later. A file that doesn't
# compile (a template, a test of errors) is the app's own affair.
compile_python() {
  umask 022
  nice "$1/.venv/bin/python" -m compileall -q -x '/(\.venv|node_modules)/' --invalidation-mode unchecked-hash "$1" || true
}
