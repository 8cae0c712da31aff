# The host's packet filter: one table, loaded whole. The address that deploys can always reach SSH.

FIREWALL=$ROOT/etc/homeport/firewall

firewall() {
  local old
  if [[ $MANAGE_FIREWALL != yes || ! -f $STAGE/firewall.nft ]]; then
    drop_firewall
    return
  fi
  mkdir -p "$FIREWALL"
  FIREWALL_CHANGED=no
  firewall_part "$ID" <"$STAGE/firewall.nft"
  deployer_rule | firewall_part "$ID-deployer"
  look_at homeport-firewall.service
  if [[ $FIREWALL_CHANGED == no ]] && is_active homeport-firewall.service && ! written '/etc/homeport/firewall*'; then return; fi
  if ! nft -c -f "$ROOT/etc/homeport/firewall.nft" >"$STAGE/firewall.log" 2>&1; then
    for old in "$STAGE"/firewall-*.kept; do
      REPLY=${old##*/firewall-}
      replace "$FIREWALL/${REPLY%.kept}.nft" 600 <"$old"
    done
    sed 's/^/  | /' "$STAGE/firewall.log" >&2
    fail "The packet filter doesn't take its new rules." "nft -c said the lines above; the rules before are back." \
      "correct the addresses that the stack configures (CIDRs)"
  fi
  boot_on homeport-firewall.service
  systemctl restart homeport-firewall.service || unit_failure homeport-firewall.service
  changed "host: firewall loaded"
}

# firewall_part <name>: rules on stdin; FIREWALL_CHANGED tells.
firewall_part() {
  local path=$FIREWALL/$1.nft
  cat >"$STAGE/part.nft"
  ! cmp -s "$STAGE/part.nft" "$path" || return 0
  if [[ -f $path ]]; then cp "$path" "$STAGE/firewall-$1.kept"; else : >"$STAGE/firewall-$1.kept"; fi
  replace "$path" 600 <"$STAGE/part.nft"
  FIREWALL_CHANGED=yes
}

# deployer_rule: SSH stays open to the other end of this session, from SSH_CONNECTION (sshd(8)).
deployer_rule() {
  local from _ port
  read -r from _ _ port <<<"${SSH_CONNECTION:-}"
  case $from in
    '') printf '# deployed without SSH\n' ;;
    *:*) printf 'ip6 saddr %s tcp dport %s accept\n' "${from%%\%*}" "$port" ;;
    *) printf 'ip saddr %s tcp dport %s accept\n' "$from" "$port" ;;
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
