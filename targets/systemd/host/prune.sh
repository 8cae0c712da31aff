# Old releases and dependencies: as many as the plan keeps, and never one that something runs or may go back to.

prune() {
  local id release kept=0 file in_use
  local -a found=("$HOME_OF_APP"/releases/*/.complete) stages=("$CONF"/applied/*.releases) old=()
  declare -A keep=()
  prune_halves
  ((${#found[@]} > RELEASES_KEPT)) || return 0
  for id in "${RELEASES[@]}" "${RELEASE[@]}"; do keep[$id]=yes; done
  # The versions of the last two applies: the active one and the one to go back to.
  for file in "${stages[@]: -2}"; do
    while read -r id; do [[ -z $id ]] || keep[$id]=yes; done <"$file"
  done
  # Slots that ran when this deploy began, of which some drain now.
  for file in "$HOME_OF_APP"/slots/*; do
    if [[ ${ACTIVE[$ID-${file##*/}@1.service]:-inactive} != inactive ]]; then
      id=$(readlink "$file")
      keep[${id##*/}]=yes
    fi
  done
  while read -r release; do
    id=${release%/.complete} id=${id##*/}
    kept=$((kept + 1))
    ((kept <= RELEASES_KEPT)) || [[ -n ${keep[$id]:-} ]] || old+=("$id")
  done < <(ls -t "${found[@]}")
  ((${#old[@]} > 0)) || return 0
  # Whatever has its working folder there, such as a job that began before the last switch.
  in_use=$(find /proc -maxdepth 2 -name cwd -lname "$HOME_OF_APP/releases/*" -printf '%l/\n' 2>/dev/null || true)
  for id in "${old[@]}"; do
    [[ $in_use != *"/releases/$id/"* ]] || continue
    # Without the file it is half a release, which the next deploy wipes if this one can't.
    rm -f "$HOME_OF_APP/releases/$id/.complete"
    say "removes release $id"
  done
  prune_halves
  prune_stages
  prune_dependencies
}

# prune_behind: nobody waits for it but the app's next deploy, as it holds this one's lock until it is done.
prune_behind() {
  (
    trap - EXIT ERR
    prune
  ) </dev/null >/dev/null 2>&1 4>&- &
}

# prune_halves: releases that never became complete, except those of this deploy.
prune_halves() {
  local folder id
  for folder in "$HOME_OF_APP"/releases/*/; do
    id=${folder%/} id=${id##*/}
    [[ -e $folder/.complete ]] || in_list "$id" "${RELEASES[@]}" || remove_behind "$folder"
  done
}

# remove_behind <folder>: many files take their time, which nobody needs to wait for.
remove_behind() { rm -rf "$1" >/dev/null 2>&1 4>&- {APP_LOCK}>&- & }

# prune_stages: history whose releases are gone can't be gone back to.
prune_stages() {
  local file id lost=()
  for file in "$CONF"/applied/*.releases; do
    while read -r id; do
      [[ -z $id || -e $HOME_OF_APP/releases/$id/.complete ]] || lost+=("$file" "${file%.releases}.tar.gz")
    done <"$file"
  done
  ((${#lost[@]} == 0)) || rm -f "${lost[@]}"
}

# prune_history: versions that differ in variables alone have one release and would never go otherwise.
prune_history() {
  local files=("$CONF"/applied/*.tar.gz) file
  while ((${#files[@]} > RELEASES_KEPT)); do
    file=${files[0]}
    rm -f "$file" "${file%.tar.gz}.releases"
    files=("${files[@]:1}")
  done
}

prune_dependencies() {
  local folder key used links=("$HOME_OF_APP"/releases/*/{.venv,node_modules,.homeport/bin/node})
  used=
  ((${#links[@]} == 0)) || used=$(readlink "${links[@]}" || true)
  for folder in "$HOME_OF_APP"/deps/*/; do
    key=${folder%/} key=${key##*/}
    [[ $used$'\n' == *"/deps/$key"[/$'\n']* ]] || {
      rm -f "$folder/.complete"
      remove_behind "$folder"
    }
  done
}
