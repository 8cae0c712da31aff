# Names of packages: what a plan needs, a file that shows it is there, and who brings it (`-`: nobody).
# Amazon Linux 2023 names are from its package list; they can't be tried where its repositories can't be reached.
#
# {pg} is the version of Postgres that the host has, or that its packages would bring.
PACKAGES='
jq              /usr/bin/jq                                       jq                    jq
curl            /usr/bin/curl                                     curl                  curl-minimal
socat           /usr/bin/socat                                    socat                 socat
openssl         /usr/bin/openssl                                  openssl               openssl
ss              /usr/bin/ss|/usr/sbin/ss|/bin/ss                  iproute2              iproute
tar             /usr/bin/tar|/bin/tar                             tar                   tar
gzip            /usr/bin/gzip|/bin/gzip                           gzip                  gzip
ca              /etc/ssl/certs/ca-certificates.crt|/etc/pki/tls/certs/ca-bundle.crt  ca-certificates  ca-certificates
setpriv         /usr/bin/setpriv|/bin/setpriv                     util-linux            util-linux
disk            /usr/sbin/mkfs.xfs|/sbin/mkfs.xfs                 xfsprogs              xfsprogs
growpart        /usr/bin/growpart                                 cloud-guest-utils     cloud-utils-growpart
proxy           /usr/sbin/haproxy                                 haproxy               haproxy
firewall        /usr/sbin/nft                                     nftables              nftables
logrotate       /usr/sbin/logrotate                               logrotate             logrotate
venv            /usr/lib/python3/dist-packages/pip|/usr/lib/python3*/site-packages/pip|/usr/lib/python3*/ensurepip/_bundled/*.whl|/usr/share/python-wheels/pip-*.whl  python3-venv  python3-pip
node            /usr/bin/node                                     nodejs                nodejs20
npm             /usr/bin/npm                                      npm                   nodejs20-npm
sqlite          /usr/bin/sqlite3                                  sqlite3               sqlite
postgres        /usr/lib/postgresql/*/bin/postgres|/usr/bin/postgres  postgresql        postgresql17-server
psql            /usr/bin/psql                                     postgresql-client     postgresql17
postgres:vector /usr/share/postgresql/*/extension/vector.control|/usr/share/pgsql/extension/vector.control  postgresql-{pg}-pgvector  -
redis           /usr/bin/redis-server|/usr/bin/valkey-server|/usr/bin/redis6-server  redis-server  redis6
container       /usr/bin/podman|/usr/bin/docker                   podman                docker
certbot         /usr/bin/certbot|/opt/homeport/certbot/bin/certbot  certbot             -
s3              /usr/bin/aws|/usr/local/bin/aws                   awscli                awscli-2
'
