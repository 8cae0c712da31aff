/* global exports, require, process, __dirname */
/* eslint-disable @typescript-eslint/no-require-imports -- ts-node loads it in order to read TypeScript */
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

/**
 * A transpiler for ts-node: TypeScript's own, one file at a time and without type checks, whose output is kept. A start
 * of the program then transpiles only the files that have changed since the last one; all of them take a second of CPU.
 *
 * Interface: https://typestrong.org/ts-node/api/interfaces/TranspilerModule.html
 *
 * @param {{ service: { config: { options: object } }, folder?: string }} given `folder` holds the outputs, one file a
 *   source file, so that it doesn't grow with time. Default: .homeport/transpiled of this checkout.
 */
exports.create = ({ service, folder = join(__dirname, "../.homeport/transpiled") }) => {
  const compilerOptions = service.config.options;
  const { version } = require("typescript/package.json");
  const settings = JSON.stringify([version, compilerOptions]);
  const hashOf = (...texts) =>
    texts.reduce((hash, text) => hash.update(`${text}\0`), createHash("sha256")).digest("hex");

  return {
    transpile(code, { fileName }) {
      const kept = join(folder, `${hashOf(fileName, compilerOptions.module).slice(0, 32)}.json`);
      const key = hashOf(settings, fileName, code);
      const known = read(kept);
      if (known?.key === key) return known;
      const { transpileModule } = require("typescript");
      const made = transpileModule(code, { fileName, compilerOptions, reportDiagnostics: true });
      const { outputText, sourceMapText, diagnostics = [] } = made;
      if (diagnostics.length === 0) keep(folder, kept, JSON.stringify({ key, outputText, sourceMapText }));
      return made;
    },
  };
};

/** What was kept, or undefined: there is none, or it was cut off or changed. */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Readers see all of it or what was there before. A checkout that can't be written to goes without. */
function keep(folder, path, text) {
  const part = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(part, text);
    renameSync(part, path);
  } catch {
    // The next start transpiles again.
  }
}
