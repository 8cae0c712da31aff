# Runs in a host, by sh: makes a container image of the host's own Debian, with its Node.js, npm and Python, under the names
# in $names, for Dockerfiles that begin with images of a registry that can't be reached.
set -eu
first=${names%% *}
if ! podman image exists "$first"; then
  bundle=/etc/ssl/certs/ca-certificates.crt
  tar -C / --one-file-system --exclude=./tmp/* --exclude=./var/tmp/* --exclude=./var/lib/containers --exclude=./var/lib/postgresql \
    --exclude=./var/lib/apt --exclude=./var/cache --exclude=./var/log --exclude=./boot --exclude=./root --exclude=./home \
    --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/lib/systemd \
    --exclude=./usr/lib/postgresql --exclude=./usr/lib/python3/dist-packages/botocore --exclude=./usr/lib/llvm* \
    --exclude=./usr/lib/python3/dist-packages/awscli --exclude=./usr/lib/*/libLLVM* --exclude=./usr/share/awscli \
    --exclude=./usr/bin/podman --exclude=./etc/ssh --exclude=./etc/machine-id -c . |
    podman import --quiet --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
      --change "ENV NODE_EXTRA_CA_CERTS=$bundle SSL_CERT_FILE=$bundle PIP_CERT=$bundle REQUESTS_CA_BUNDLE=$bundle" \
      --change 'CMD ["/bin/bash"]' - "$first" >/dev/null
fi
for name in $names; do
  podman image exists "$name" || podman tag "$first" "$name"
done
