# Tokens of the stage's files that only the host can fill in.

tokens() {
  local key script=$STAGE/tokens.sed paths=()
  for key in files slots proxy.cfg firewall.nft; do
    [[ ! -e $STAGE/$key ]] || paths+=("$STAGE/$key")
  done
  for key in "${!PORT[@]}"; do printf 's|@@port:%s@@|%s|g\n' "$key" "${PORT[$key]}"; done >"$script"
  {
    ssh_port
    printf 's|@@ssh-port@@|%s|g\n' "$REPLY"
    first_program podman docker && printf 's|@@container@@|%s|g\n' "$REPLY"
    text_of "$ROOT/etc/passwd"
    if [[ $'\n'$REPLY == *$'\nec2-instance-connect:'* ]]; then REPLY=', "ec2-instance-connect"'; else REPLY=''; fi
    printf 's|@@instance-connect@@|%s|g\n' "$REPLY"
    first_program redis-server valkey-server redis6-server && printf 's|@@redis@@|%s|g\n' "$REPLY"
  } >>"$script" || true
  grep -rlZ -- '@@' "${paths[@]}" | xargs -0r sed -i -f "$script" || true
}

# ssh_port: that of this session, or of the last one where there is none, in REPLY.
ssh_port() {
  REPLY=$SSH_PORT
  [[ -z $REPLY ]] || return 0
  text_of "$FIREWALL/$ID-deployer.nft"
  if [[ $REPLY =~ dport\ ([0-9]+) ]]; then REPLY=${BASH_REMATCH[1]}; else REPLY=22; fi
}

# first_program <names…>: the path of the first that the host has, in REPLY.
first_program() {
  local name
  for name in "$@"; do
    REPLY=/usr/bin/$name
    [[ ! -x $ROOT$REPLY ]] || return 0
  done
  return 1
}
