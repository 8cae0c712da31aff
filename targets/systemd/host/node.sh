# Node.js: `npm ci` by hash of the lock file, shared by releases where nothing of the source takes part in it.

# node_at_least <version>: refuses a host whose Node.js is older.
node_at_least() {
  local have
  have=$(node --version)
  have=${have#v}
  ((${have%%.*} >= ${1%%.*})) || fail "This host has Node.js $have, and the app needs ${1}." \
    "Its packages have no newer one." "choose a host with a newer system, or lower the runtime's version"
  NODE_HAS=$have
}

# node_dependencies <service> <release folder>
node_dependencies() {
  local service=$1 folder=$2 key lock
  node_at_least "${SERVICE[$service:version]}"
  [[ -f $folder/package.json ]] || return 0
  [[ -f $folder/package-lock.json ]] || {
    [[ $(jq '[.dependencies, .devDependencies] | map(length) | add' "$folder/package.json") != 0 ]] || return 0
    fail "The source of $service has no package-lock.json." "\`npm ci\` installs exactly what it lists." \
      "npm install --package-lock-only, then commit the file"
  }
  if own_install "$folder"; then
    say "$service: installs npm packages (scripts of its own take part)"
    chown -hR "$APP_USER:$APP_USER" "$folder"
    npm_ci "$service" "$folder"
    chown -hR root:root "$folder"
    return
  fi
  lock=$(sums_in "$folder" package.json package-lock.json .npmrc)
  key_of "$lock" "$NODE_HAS" "$(uname -m)"
  key=$REPLY
  if dependency_folder "$key"; then
    say "$service: installs npm packages"
    cp "$folder"/package.json "$folder"/package-lock.json "$REPLY/"
    [[ ! -f $folder/.npmrc ]] || cp "$folder/.npmrc" "$REPLY/"
    chown -hR "$APP_USER:$APP_USER" "$REPLY"
    npm_ci "$service" "$REPLY"
    dependencies_done "$REPLY"
  fi
  if [[ -n ${SERVICE[$service:build]:-} && -d $REPLY/node_modules ]]; then
    # A build may write there (generated clients, caches).
    cp -a --reflink=auto "$REPLY/node_modules" "$folder/node_modules"
  else
    ln -sfn "../../deps/$key/node_modules" "$folder/node_modules"
  fi
}

# own_install <folder>: whether `npm ci` runs or reads something of the source, so that its outcome belongs to one release.
own_install() {
  jq -e '(.scripts // {} | has("preinstall") or has("install") or has("postinstall") or has("prepare"))
    or has("workspaces") or ([.dependencies, .devDependencies, .optionalDependencies] | map(. // {} | .[])
    | any(startswith("file:") or startswith("link:") or startswith(".")))' "$1/package.json" >/dev/null
}

# shellcheck disable=SC2016 # for another shell
NPM_IN='cd "$1" && exec npm ci --no-audit --no-fund --loglevel=error --include=dev'

npm_ci() {
  local folder=$2
  logged "$1" "The npm packages of $1 could not be installed." "correct what the lines above name; the host needs access to the npm registry" \
    as_app env "npm_config_cache=/var/cache/homeport/$ID/npm" sh -c "$NPM_IN" sh "$folder"
  REPLY=$folder
}
