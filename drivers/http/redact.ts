const blank = "***";

/** Forms of secrets that give themselves away, whoever they belong to. */
const telling: readonly [RegExp, string][] = [
  [/\b(Bearer|FlyV1|Basic)\s+[\w.~+/=,-]{8,}/gi, `$1 ${blank}`],
  [/\bfm[12][ar]?_[\w+/=-]{8,}/g, blank],
  [/\b(rnd|rw)_[A-Za-z0-9]{16,}/g, blank],
  // The user and password of a URL.
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi, `$1${blank}@`],
];

/**
 * A function that blanks these secrets in any text, also in the forms that JSON, URLs and base64 give them.
 * Short ones are left: they would blank ordinary words, and whoever guesses three letters needs no log.
 */
export function redactor(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.trim().length < 4) continue;
    for (const form of [
      secret,
      secret.trim(),
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64").replace(/=+$/, ""),
      ...secret.split("\n").filter((line) => line.trim().length >= 8),
    ]) {
      forms.add(form);
    }
  }
  // The longest first, as one may be the start of another.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let out = text;
    for (const form of ordered) out = out.replaceAll(form, blank);
    for (const [pattern, into] of telling) out = out.replace(pattern, into);
    return out;
  };
}
