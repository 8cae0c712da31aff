# Packages that the plan needs and the host lacks; a host that has them all is asked nothing.

declare -A PROOF=() APT=() DNF=()

# read_table: fills PROOF, APT and DNF by need.
read_table() {
  local need files apt dnf
  while read -r need files apt dnf; do
    [[ -n $need ]] || continue
    PROOF[$need]=$files APT[$need]=$apt DNF[$need]=$dnf
  done <<<"$PACKAGES"
}

# present <need>: whether one of the files that show it is there; what isn't in the table needs no package.
present() {
  local patterns found pattern
  IFS='|' read -r -a patterns <<<"${PROOF[$1]:-/}"
  for pattern in "${patterns[@]}"; do
    # shellcheck disable=SC2206 # the pattern is to be expanded
    found=($ROOT$pattern)
    [[ ! -e ${found[0]:-} ]] || return 0
  done
  return 1
}

# package_of <need> <apt|dnf>: the package's name in REPLY, `-` where the system has none.
package_of() { if [[ $2 == apt ]]; then REPLY=${APT[$1]:--}; else REPLY=${DNF[$1]:--}; fi; }

# needs: the rows of the table that this plan asks for, in NEEDED.
needs() {
  local need
  NEEDED=(jq curl socat openssl ss tar gzip ca setpriv)
  [[ $MANAGE_FIREWALL != yes ]] || in_list firewall "${NEEDS[@]}" || NEEDED+=(firewall)
  for need in "${NEEDS[@]}"; do
    case $need in
      python:*) NEEDED+=(venv) ;;
      node:*) NEEDED+=(node npm) ;;
      uv) ;;
      postgres) NEEDED+=(postgres psql) ;;
      *) NEEDED+=("$need") ;;
    esac
  done
}

# packages: installs what lacks.
packages() {
  local need lacking=()
  read_table
  needs
  for need in "${NEEDED[@]}"; do
    present "$need" || lacking+=("$need")
  done
  ((${#lacking[@]} == 0)) || with_host install_needs "${lacking[@]}"
  in_list postgres "${NEEDS[@]}" || return 0
  save_settings
  if [[ $MANAGER == dnf ]]; then init_postgres; fi
}

install_needs() {
  local need names=()
  for need in "$@"; do
    package_of "$need" "$MANAGER"
    if [[ $REPLY == *'{pg}'* ]]; then
      local name=$REPLY
      postgres_version
      REPLY=${name//'{pg}'/$REPLY}
    fi
    case $need:$REPLY in
      certbot:-) install_certbot ;;
      *:-) fail "This host has no package for \"$need\"." "The packages of its system don't hold it." \
        "move the app to a host that has it (Debian 13 and Ubuntu 24.04 have all)" ;;
      *) names+=("$REPLY") ;;
    esac
  done
  ((${#names[@]} == 0)) || install_packages "${names[@]}"
  for need in "$@"; do
    present "$need" || fail "\"$need\" isn't on the host after its package was installed." \
      "The package is there, the program isn't where it was looked for." "see the lines above"
    # The app's own units take the place of the distribution's, which would take ports that nobody asked for.
    case $need in
      proxy) systemctl disable -q --now haproxy.service || true ;;
      redis) systemctl disable -q --now redis-server.service || true ;;
      container) [[ $MANAGER == apt ]] || systemctl enable -q --now docker.service ;;
    esac
  done
}

# install_packages <names…>: with the package manager's own lock waited for.
install_packages() {
  local log=$STAGE/packages.log
  changed "host: installs ${*}"
  if [[ $MANAGER == apt ]]; then
    apt_get install -y --no-install-recommends "$@" >"$log" 2>&1 ||
      { apt_get update >>"$log" 2>&1 && apt_get install -y --no-install-recommends "$@" >"$log" 2>&1; } ||
      package_failure "$log" "$@"
  else
    dnf -q -y install "$@" >"$log" 2>&1 {APP_LOCK}>&- 4>&- </dev/null || package_failure "$log" "$@"
  fi
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -q -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confold "$@" {APP_LOCK}>&- 4>&- </dev/null
}

package_failure() {
  local log=$1
  shift
  tail -n 15 "$log" >&2
  fail "Packages could not be installed: $*." "$MANAGER said the lines above." \
    "run it by hand on the host: $MANAGER install $*"
}

# postgres_version: the major version on the host, or of the package that would be installed, in REPLY.
postgres_version() {
  local found=("$ROOT"/usr/lib/postgresql/*/bin/postgres)
  if ((${#found[@]} > 0)); then
    REPLY=${found[-1]#"$ROOT"/usr/lib/postgresql/}
    REPLY=${REPLY%%/*}
  else
    apt_get update >/dev/null 2>&1 || true
    REPLY=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1)
  fi
}

# Amazon Linux installs Postgres without a cluster, and lets nobody in over TCP by password unless asked.
init_postgres() {
  [[ ! -e $ROOT/var/lib/pgsql/data/PG_VERSION ]] || return 0
  PGSETUP_INITDB_OPTIONS='--auth-host=scram-sha-256 --auth-local=peer' postgresql-setup --initdb
}

install_certbot() {
  changed "host: installs certbot"
  install_packages python3-pip
  python3 -m venv "$ROOT/opt/homeport/certbot"
  "$ROOT/opt/homeport/certbot/bin/pip" install -q certbot {APP_LOCK}>&- 4>&-
}
