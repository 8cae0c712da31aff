/** What only the driver knows of what it makes: it stands in a value as `@@postgres:db@@` until then. */
export type TokenKind = "postgres" | "keyvalue" | "host";

export const token = (kind: TokenKind, part: string): string => `@@${kind}:${part}@@`;

/** All tokens of a text. */
export function tokensIn(text: string): { readonly kind: TokenKind; readonly part: string }[] {
  return [...text.matchAll(/@@(postgres|keyvalue|host):([a-z0-9-]+)@@/g)].map(([, kind, part = ""]) => ({
    kind: kind as TokenKind,
    part,
  }));
}

/** Puts values in tokens' places. A token without a value stays. */
export function fillTokens(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/@@[a-z]+:[a-z0-9-]+@@/g, (whole) => values.get(whole) ?? whole);
}
