# Runs in a host, by sh: makes the images of a registry that can't be reached, in a store that podman has besides its own.
# $store is that store and $base its first image's name, the host's own Debian with its Node.js, Python, Redis and Postgres;
# $aliases are further names of it. $others has a line for each other image: a folder of the tar on standard input, with its
# Dockerfile, and the image's names. The folders in $warm are built for what their first steps leave in podman's cache.
set -eu
bundle=/etc/ssl/certs/ca-certificates.crt
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -C "$scratch" -x
rm -rf "$store"
hub() { podman --root "$store" --runroot /run/containers/hub "$@"; }

tar -C / --one-file-system --exclude=./tmp/* --exclude=./var/tmp/* --exclude=./var/lib/containers --exclude=./var/lib/postgresql \
  --exclude=./var/lib/rehearsal --exclude=./var/lib/apt --exclude=./var/cache --exclude=./var/log --exclude=./boot --exclude=./root --exclude=./home \
  --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/lib/systemd \
  --exclude=./usr/lib/python3/dist-packages/botocore --exclude=./usr/lib/llvm* --exclude=./usr/lib/postgresql/*/lib/bitcode \
  --exclude=./usr/lib/python3/dist-packages/awscli --exclude=./usr/lib/*/libLLVM* --exclude=./usr/share/awscli \
  --exclude=./usr/lib/*/libz3* --exclude=./usr/libexec/podman --exclude=./usr/share/i18n \
  --exclude=./usr/lib/cni --exclude=./usr/lib/podman --exclude=./usr/bin/podman --exclude=./etc/ssh --exclude=./etc/machine-id -c . |
  hub import --quiet --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change "ENV NODE_EXTRA_CA_CERTS=$bundle" --change "ENV SSL_CERT_FILE=$bundle" --change "ENV PIP_CERT=$bundle" \
    --change "ENV REQUESTS_CA_BUNDLE=$bundle" --change 'CMD ["/bin/bash"]' - "$base" >/dev/null
for name in $aliases; do hub tag "$base" "$name"; done

# Builds ask for more open files than the host itself may have.
build() {
  hub build --quiet --pull=never --ulimit "nofile=$(ulimit -Sn):$(ulimit -Hn)" --ulimit "nproc=$(ulimit -Su):$(ulimit -Hu)" \
    "$@" >/dev/null </dev/null
}
printf '%s\n' "$others" | while read -r folder first more; do
  build --network=none --tag "$first" "$scratch/$folder"
  for name in $more; do hub tag "$first" "$name"; done
done
for folder in $warm; do
  build "$scratch/$folder" || echo "$folder isn't built beforehand" >&2
done
touch "$store/complete"
