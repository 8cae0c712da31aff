import { refuseNul } from "./quote";

/**
 * Text for `EnvironmentFile=` (systemd.exec(5)): every value in double quotes, in which a line break stands for itself
 * and a backslash takes the meaning from `"`, `\`, `` ` `` and `$`. Bash reads it the same way.
 */
export function envFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${variableName(name)}="${escape(value)}"\n`)
    .join("");
}

function escape(value: string): string {
  refuseNul(value);
  return value.replace(/["\\`$]/g, "\\$&");
}

/** A line with another name would be skipped by systemd, with no more than a warning in its journal. */
export function variableName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new Error(
    `${JSON.stringify(name)} can't be the name of a variable: letters, digits and _ only, no digit first.`,
  );
}

/** `KEY=value` lines as the host's tools read them (LAYOUT.md, Host tools): no quotes, no escapes; absent values are left out. */
export function toolConfig(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .flatMap(([key, value]) =>
      value === undefined || value === "" ? [] : [`${key}=${configValue(key, String(value))}\n`],
    )
    .join("");
}

function configValue(key: string, value: string): string {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f]/.test(value))
    throw new Error(`The value for ${key} holds a line break or control character: remove it.`);
  return value;
}
