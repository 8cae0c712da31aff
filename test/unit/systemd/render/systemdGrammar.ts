/**
 * systemd's way of reading, written from its manual: systemd.syntax(7) for quotes and C escapes, systemd.service(5) for
 * command lines, systemd.exec(5) for `EnvironmentFile=`. Only what a writer may rely on is accepted.
 */

/** The words of an `ExecStart=` value, after escapes, specifiers and variables. */
export function decodeExec(line: string): string[] {
  return splitWords(line).map((word) => variables(specifiers(word)));
}

/** One word of a list, such as `Environment=` takes. */
export function decodeWord(line: string): string {
  const words = splitWords(line);
  if (words.length !== 1) throw new Error(`${words.length} words: ${line}`);
  return words[0] ?? "";
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", '"': '"', "'": "'", "\\": "\\" };

function splitWords(line: string): string[] {
  const words: string[] = [];
  let i = 0;
  while (i < line.length) {
    if (line[i] === " ") {
      i++;
      continue;
    }
    const quote = line[i] === '"' || line[i] === "'" ? line[i] : undefined;
    if (quote !== undefined) i++;
    let bytes = "";
    for (;;) {
      const c = line[i];
      if (c === undefined) {
        if (quote !== undefined) throw new Error(`A quote isn't closed: ${line}`);
        break;
      }
      i++;
      if (quote === undefined ? c === " " : c === quote) break;
      if (quote === undefined && /["';]/.test(c)) throw new Error(`${c} within a bare word: ${line}`);
      if (c !== "\\") bytes += c;
      else {
        const e = line[i++] ?? "";
        if (e === "x") {
          bytes += String.fromCharCode(parseInt(line.slice(i, i + 2), 16));
          i += 2;
        } else {
          const meant = escapes[e];
          if (meant === undefined) throw new Error(`There is no escape \\${e}: ${line}`);
          bytes += meant;
        }
      }
    }
    if (quote !== undefined && line[i] !== undefined && line[i] !== " ")
      throw new Error(`A word goes on after its quote: ${line}`);
    words.push(bytes);
  }
  return words;
}

function specifiers(word: string): string {
  return word.replace(/%(.?)/gs, (_, c: string) => {
    if (c !== "%") throw new Error(`A specifier %${c} is left: ${word}`);
    return "%";
  });
}

function variables(word: string): string {
  return word.replace(/\$(.?)/gs, (_, c: string) => {
    if (c !== "$") throw new Error(`A variable $${c} is left: ${word}`);
    return "$";
  });
}

/** An environment file: only double-quoted values, within which a backslash escapes `"`, `\`, `` ` ``, `$` and stays before others. */
export function decodeEnvFile(text: string): Map<string, string> {
  const result = new Map<string, string>();
  let i = 0;
  while (i < text.length) {
    const head = /^([A-Za-z_][A-Za-z0-9_]*)="/.exec(text.slice(i));
    if (head === null) throw new Error(`No assignment at ${i}: ${text}`);
    i += head[0].length;
    let value = "";
    for (; text[i] !== '"'; i++) {
      if (text[i] === undefined) throw new Error(`A quote isn't closed: ${text}`);
      if (text[i] !== "\\") value += text[i] ?? "";
      else {
        i++;
        const c = text[i] ?? "";
        if (!'"\\`$'.includes(c)) throw new Error(`A backslash before ${c}: ${text}`);
        value += c;
      }
    }
    if (text[i + 1] !== "\n") throw new Error(`A value goes on after its quote: ${text}`);
    i += 2;
    result.set(head[1] ?? "", value);
  }
  return result;
}
