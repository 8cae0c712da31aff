/** Where HAProxy's configuration is; it reads every `*.cfg` in it, in alphabetical order. */
export const proxyFolder = "/etc/homeport/proxy";

/**
 * What all apps' parts rest on (HAProxy Configuration Manual, 2.4 to 3.x): `defaults` holds for the files that follow.
 * Connections to instances are closed after each answer: a program that closes an idle one just as it is used again
 * would otherwise cost a request. A refused connection is tried again for 5 seconds, which spans a restart.
 */
export const proxyBase = `# The proxy of this host's apps. Written by Homeport: a change made here is lost with the next deploy.
global
  log stdout format raw daemon notice
  stats socket /run/homeport-proxy/admin.sock mode 600 level admin expose-fd listeners
  user haproxy
  group haproxy
  maxconn 8192
  # Long WebSockets may outlive a reload in the old process, but not for ever, and not in many of them.
  hard-stop-after 1h
  mworker-max-reloads 20
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
  tune.ssl.default-dh-param 2048

defaults
  mode http
  log global
  option httplog
  # Apps log their requests; here only what went wrong is of interest.
  option dontlog-normal
  option dontlognull
  option forwardfor
  option http-server-close
  option redispatch 1
  retries 5
  retry-on conn-failure
  timeout connect 2s
  timeout http-request 30s
  timeout http-keep-alive 30s
  timeout queue 30s
  timeout client 5m
  timeout server 5m
  timeout tunnel 1h
  timeout client-fin 30s
  timeout check 5s
  errorfile 503 ${proxyFolder}/503.http
`;

/** Ports 80 and 443, for hosts where an app has a domain. */
export const proxyDomains = `# Domains of this host's apps. Written by Homeport: a change made here is lost with the next deploy.
frontend homeport-http
  bind :80
.if defined(HOMEPORT_IPV6)
  bind [::]:80 v6only
.endif
  acl challenge path_beg /.well-known/acme-challenge/
  acl known req.hdr(host),lower,field(1,:),map(${proxyFolder}/domains.map) -m found
  # A redirect of the scheme alone would keep the port that the client named.
  http-request redirect location https://%[req.hdr(host),lower,field(1,:)]%[capture.req.uri] code 301 if known !challenge
  use_backend homeport-acme if challenge
  default_backend homeport-unknown

frontend homeport-https
  # strict-sni also lets it start before there is any certificate.
  bind :443 ssl crt ${proxyFolder}/certs/ alpn h2,http/1.1 strict-sni
.if defined(HOMEPORT_IPV6)
  bind [::]:443 v6only ssl crt ${proxyFolder}/certs/ alpn h2,http/1.1 strict-sni
.endif
  # What a client claims about itself is no fact.
  http-request del-header X-Forwarded-For
  http-request set-header X-Forwarded-Proto https
  http-response set-header Strict-Transport-Security max-age=31536000
  use_backend %[req.hdr(host),lower,field(1,:),map(${proxyFolder}/domains.map,homeport-unknown)]

backend homeport-acme
  server certbot 127.0.0.1:8402

backend homeport-unknown
  http-request return status 404 content-type text/plain string "No app of this host has that name."
`;

/** Sent while no instance answers. */
export const unavailable = [
  "HTTP/1.1 503 Service Unavailable",
  "Content-Type: text/plain; charset=utf-8",
  "Cache-Control: no-store",
  "Retry-After: 5",
  "Connection: close",
  "",
  "The app is starting or restarting. Try again in a few seconds.\n",
].join("\r\n");
