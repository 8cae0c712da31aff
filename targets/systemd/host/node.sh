# Node.js: `npm ci` by hash of the lock file, shared by releases where nothing of the source takes part in it.

# node_for <service> <release folder>: the host's Node.js where it is new enough (NODE_HAS); otherwise one of the wanted
# major version from the npm registry, linked into the release's `.homeport/bin`.
node_for() {
  local service=$1 folder=$2 wanted=${SERVICE[$1:version]} have='' name
  have=$(node --version)
  have=${have#v} NODE_HAS=${have}
  ((${have%%.*} < ${wanted%%.*})) || return 0
  NODE_HAS=node-${wanted%%.*}
  if dependency_folder "$NODE_HAS"; then
    say "$service: installs Node.js ${wanted%%.*}, as the host has $have"
    fetch_node "$service" "$REPLY" "${wanted%%.*}"
    dependencies_done "$REPLY"
  fi
  install -d -m 0755 "$folder/.homeport" "$folder/.homeport/bin"
  for name in node npm npx; do ln -sfn "../../../../deps/$NODE_HAS/bin/$name" "$folder/.homeport/bin/$name"; done
}

# fetch_node <service> <folder> <major version>: from the packages in which the registry has Node.js itself, with an npm that fits.
fetch_node() {
  local service=$1 folder=$2 major=$3 machine
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) machine=$(uname -m) ;;
  esac
  logged "$service" "This host's Node.js is older than $major, and that could not be installed." \
    "choose a host with a newer system, lower the runtime's version, or give the host access to the npm registry" \
    as_app env "npm_config_cache=/var/cache/homeport/$ID/npm" npm install --prefix "$folder" --no-audit --no-fund --loglevel=error \
    "node-linux-$machine@$major" npm@10
  mkdir -m 0755 "$folder/bin"
  ln -s "../node_modules/node-linux-$machine/bin/node" "$folder/bin/node"
  ln -s ../node_modules/.bin/npm "$folder/bin/npm"
  ln -s ../node_modules/.bin/npx "$folder/bin/npx"
  REPLY=$folder
}

# node_dependencies <service> <release folder>
node_dependencies() {
  local service=$1 folder=$2 key lock
  node_for "$service" "$folder"
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
