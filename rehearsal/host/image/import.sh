# Runs in a host, by sh: makes a container image of the host's own Python, its shell and the program on standard input.
# $name is the image's name, $port what the program listens on.
set -eu
umask 022
podman image exists "$name" && exit 0
image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT
chmod 755 "$image"
mkdir -p "$image/app" "$image/etc" "$image/tmp" "$image/usr/bin" "$image/usr/lib64"
chmod 1777 "$image/tmp"
cat >"$image/app/main.py"
printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$image/etc/passwd"

python=$(basename "$(readlink -f /usr/bin/python3)")
cp -L --parents /usr/bin/python3 /usr/bin/sh "$image"
cp -rL --parents "/usr/lib/$python" "$image"
rm -rf "$image/usr/lib/$python/ensurepip" "$image/usr/lib/$python/idlelib"
find "$image/usr/lib/$python" -name __pycache__ -prune -exec rm -rf {} +
# ldd names libraries by way of the links /lib and /lib64.
ldd /usr/bin/python3 /usr/bin/sh "/usr/lib/$python"/lib-dynload/*.so | grep -o ' /lib[^ ]* (\|^[[:space:]]*/lib[^ ]* (' |
  tr -d ' (\t' | sort -u | while read -r library; do cp -L --parents "/usr$library" "$image"; done
ln -s usr/bin "$image/bin"
ln -s usr/lib "$image/lib"
ln -s usr/lib64 "$image/lib64"

tar -C "$image" -c . | podman import --quiet --change 'CMD ["/usr/bin/python3", "/app/main.py"]' \
  --change "EXPOSE $port" --change 'ENV PYTHONUNBUFFERED=1' - "$name"
