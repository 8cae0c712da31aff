# The host's packet filter: one table, loaded whole. The address that deploys can always reach SSH.

FIREWALL=$ROOT/etc/homeport/firewall

firewall() {
  local old name
  if [[ $MANAGE_FIREWALL != yes || ! -f $STAGE/firewall.nft ]]; then
    drop_firewall
    return
  fi
  [[ -d $FIREWALL ]] || mkdir -p "$FIREWALL"
  FIREWALL_CHANGED=no
  text_of "$STAGE/firewall.nft"
  firewall_part "$ID" "$REPLY"
  deployer_rule
  firewall_part "$ID-deployer" "$REPLY"
  if [[ $FIREWALL_CHANGED == no ]] && is_active homeport-firewall.service && ! written '/etc/homeport/firewall*'; then return; fi
  if ! nft -c -f "$ROOT/etc/homeport/firewall.nft" >"$STAGE/firewall.log" 2>&1; then
    for old in "$STAGE"/firewall-*.kept; do
      REPLY=${old##*/firewall-}
      name=${REPLY%.kept}
      text_of "$old"
      put "$FIREWALL/$name.nft" "$REPLY"
    done
    sed 's/^/  | /' "$STAGE/firewall.log" >&2
    fail "The packet filter doesn't take its new rules." "nft -c said the lines above; the rules before are back." \
      "correct the addresses that the stack configures (CIDRs)"
  fi
  boot_on homeport-firewall.service
  systemctl restart homeport-firewall.service || unit_failure homeport-firewall.service
  changed "host: firewall loaded"
}

# firewall_part <name> <rules>: FIREWALL_CHANGED tells.
firewall_part() {
  local path=$FIREWALL/$1.nft
  text_of "$path"
  [[ $REPLY != "$2" || ! -f $path ]] || return 0
  if [[ -f $path ]]; then cp "$path" "$STAGE/firewall-$1.kept"; else : >"$STAGE/firewall-$1.kept"; fi
  put "$path" "$2"
  FIREWALL_CHANGED=yes
}

# deployer_rule: SSH stays open to the other end of this session, by SSH_CONNECTION (sshd(8)); in REPLY.
deployer_rule() {
  case $CLIENT in
    '')
      # Not over SSH: whoever deployed last over it is to get in again.
      text_of "$FIREWALL/$ID-deployer.nft"
      [[ -n $REPLY ]] || printf -v REPLY '# deployed without SSH\n'
      ;;
    *:*) printf -v REPLY 'ip6 saddr %s tcp dport %s accept\n' "${CLIENT%%\%*}" "$SSH_PORT" ;;
    *) printf -v REPLY 'ip saddr %s tcp dport %s accept\n' "$CLIENT" "$SSH_PORT" ;;
  esac
}

# drop_firewall: takes this app's rules out; the filter goes with the last app that has any.
drop_firewall() {
  local others
  [[ -f $FIREWALL/$ID.nft ]] || return 0
  rm -f "$FIREWALL/$ID.nft" "$FIREWALL/$ID-deployer.nft" "$FIREWALL/$ID.output"
  others=("$FIREWALL"/*.nft)
  if ((${#others[@]} > 0)); then
    systemctl restart homeport-firewall.service || true
  else
    systemctl stop homeport-firewall.service 2>/dev/null || true
    boot_off homeport-firewall.service
    nft delete table inet homeport 2>/dev/null || true
  fi
}
