const BLANK = "***";

/** Blanks what may be a secret in every URL of a text: the credentials before the host, and the query. */
export function redact(text: string): string {
  return (
    text
      .replace(/[a-z][a-z0-9+.-]*:\/\/[^\s'"]+/gi, redactUrl)
      // `user:token@host` without a scheme is no URL that git takes, but people write it.
      .replace(/(^|[\s'"])[^\s'"/@:]+:[^\s'"/@]+@/g, `$1${BLANK}@`)
  );
}

function redactUrl(url: string): string {
  const schemeEnd = url.indexOf("://") + 3;
  const scheme = url.slice(0, schemeEnd);
  const rest = url.slice(schemeEnd);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
  // A raw `@`, `/`, `?` or `#` may be part of a password: where there can be one, blank up to the last `@`.
  const at = /[:@]/.test(authority) ? rest.lastIndexOf("@") : -1;
  const user = rest.slice(0, Math.max(at, 0));
  // The user of an ssh URL is a login name (`git`), not a token.
  const shown = at < 0 ? "" : /ssh:/i.test(scheme) && /^[\w.-]*$/.test(user) ? `${user}@` : `${BLANK}@`;
  return scheme + shown + rest.slice(at + 1).replace(/\?[^#]+/, `?${BLANK}`);
}

/** Puts a text on one line, without the control characters a remote server may have sent. */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this removes
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
}
