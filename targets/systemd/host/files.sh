# The files of MANIFEST: put in place where they differ, taken away where the plan no longer has them.

# Paths that this deploy wrote, and an earlier one that was cut off before it had acted on them.
WRITTEN=()

load_written() { [[ ! -f $ROOT/run/homeport/written-$ID ]] || mapfile -t WRITTEN <"$ROOT/run/homeport/written-$ID"; }

forget_written() { rm -f "$ROOT/run/homeport/written-$ID"; }

note_written() {
  WRITTEN+=("$1")
  printf '%s\n' "$1" >>"$ROOT/run/homeport/written-$ID"
}

declare -A WANT=() HAVE=() LOOK=()

# survey: hashes of every file of the stage (WANT, by its path there), and hash, mode and owner of what the host has in
# their places (HAVE, LOOK, by path): three processes for all of them.
survey() {
  local sum path file
  local -a sources=() targets=()
  declare -A seen=()
  for file in "$STAGE/MANIFEST" "$STAGE"/slots/*/*/MANIFEST; do
    while read -r path; do
      path=/${path#*/}
      sources+=("${file%/*}/files$path")
      [[ -n ${seen[$path]:-} || ! -f $ROOT$path ]] || targets+=("$ROOT$path")
      seen[$path]=yes
    done <"$file"
  done
  while read -r sum path; do WANT[$path]=$sum; done < <(sha256sum -- "${sources[@]}")
  ((${#targets[@]} > 0)) || return 0
  while read -r sum path; do HAVE[${path#"$ROOT"}]=$sum; done < <(sha256sum -- "${targets[@]}")
  while read -r sum path; do LOOK[${path#"$ROOT"}]=$sum; done < <(stat -c '%a:%U:%G %n' -- "${targets[@]}")
}

# install_files <folder with the files>: lines `<mode> <owner> <group> <path>` on stdin; what differs is put in place.
install_files() {
  local from=$1 mode owner group path want
  while read -r mode owner group path; do
    want=${WANT[$from$path]}
    [[ ${HAVE[$path]:-} != "$want" || ${LOOK[$path]:-} != "${mode#0}:$owner:$group" ]] || continue
    [[ ${HAVE[$path]:-} == "$want" ]] || note_written "$path"
    install_file "$from$path" "$mode" "$owner" "$group" "$path"
    HAVE[$path]=$want LOOK[$path]=${mode#0}:$owner:$group
  done
}

install_file() {
  local from=$1 mode=$2 owner=$3 group=$4 path=$ROOT$5 parent
  parent=${path%/*}
  if [[ ! -d $parent ]]; then
    if [[ $5 == "/etc/homeport/$ID/"* ]]; then install -d -m 0700 "$parent"; else install -d -m 0755 "$parent"; fi
  fi
  install -m "$mode" -o "$owner" -g "$group" "$from" "$path.homeport-new"
  mv -fT "$path.homeport-new" "$path"
}

# install_when <when>: the files of MANIFEST whose time it is.
install_when() {
  local when rest lines=''
  while read -r when rest; do [[ $when != "$1" ]] || lines+=$rest$'\n'; done <"$STAGE/MANIFEST"
  install_files "$STAGE/files" < <(printf %s "$lines")
}

# install_shared: the host's own files; their paths are remembered until the last app leaves.
install_shared() {
  local list=$ROOT/var/lib/homeport/shared when path known
  install_when shared
  text_of "$list"
  known=$'\n'$REPLY
  while read -r when _ _ _ path; do
    [[ $when != shared || $known == *$'\n'"$path"$'\n'* ]] || printf '%s\n' "$path" >>"$list"
  done <"$STAGE/MANIFEST"
}

# install_slot <service> <slot>: what that slot's start needs. On a first deploy the other slot's units come along, so
# that the next deploy doesn't have to make systemd read all units again.
install_slot() {
  local folder=$STAGE/slots/$1/$2 other
  install_files "$folder/files" <"$folder/MANIFEST"
  [[ -z ${SLOT[$1]:-} ]] || return 0
  other_slot "$2"
  other=$STAGE/slots/$1/$REPLY
  install_files "$other/files" < <(grep '\.service$' "$other/MANIFEST" || true)
}

# own_paths: every path that this plan has, in whichever slot, one a line.
own_paths() {
  local file when path
  while read -r when _ _ _ path; do [[ $when == shared ]] || printf '%s\n' "$path"; done <"$STAGE/MANIFEST"
  for file in "$STAGE"/slots/*/*/MANIFEST; do
    while read -r _ _ _ path; do printf '%s\n' "$path"; done <"$file"
  done
}

# written <pattern>: whether this deploy wrote a path that fits.
written() {
  local path
  for path in "${WRITTEN[@]}"; do
    # shellcheck disable=SC2053 # a pattern is meant
    [[ $path != $1 ]] || return 0
  done
  return 1
}

# How many of WRITTEN systemd has read.
RELOADED=0

# reload_units: one daemon-reload for all units written since the last.
reload_units() {
  local path units=no
  for path in "${WRITTEN[@]:RELOADED}"; do
    [[ $path != /etc/systemd/system/* ]] || units=yes
  done
  RELOADED=${#WRITTEN[@]}
  [[ $units == no ]] || systemctl daemon-reload
}

# shellcheck disable=SC2016 # for another shell
WRITE_TO='umask 077; cat >"$1.new" && mv -fT "$1.new" "$1"'

# place_rewritten <service>: secret files that the app may rewrite, when their declared content has changed.
place_rewritten() {
  local service=$1 variable volumes=() variables=() folder sum
  mapfile -t variables <<<"${SERVICE[$service:rewritten]:-}"
  mapfile -t volumes <<<"${SERVICE[$service:volumes]:-}"
  for variable in "${variables[@]}"; do
    [[ -n $variable ]] || continue
    volume_folder "${volumes[0]}"
    folder=$REPLY/.secrets
    sum=$(sha256sum "$STAGE/rewritten/$service/$variable")
    sum=${sum%% *}
    [[ ${MARK[rewritten:$service:$variable]:-} != "$sum" || ! -e $folder/$variable ]] || continue
    # The folder is the app's, which could have put a link there: the app's own user writes, root only reads for it.
    as_app mkdir -p -m 0700 "$folder"
    as_app_input "$STAGE/rewritten/$service/$variable" sh -c "$WRITE_TO" sh "$folder/$variable"
    mark "rewritten:$service:$variable" "$sum"
    changed "$service: secret file $variable placed"
  done
}

as_app_input() {
  local input=$1
  shift
  setpriv --reuid="$APP_USER" --regid="$APP_USER" --init-groups --no-new-privs "$@" <"$input" {APP_LOCK}>&- 4>&-
}
