import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";

interface Output {
  readonly outputText: string;
  readonly sourceMapText?: string;
  readonly diagnostics?: readonly ts.Diagnostic[];
}

interface Transpiler {
  transpile(code: string, options: { fileName: string }): Output;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- ts-node requires it in just this way
const { create } = require("../../../engine/transpiler.cjs") as {
  create: (given: { service: { config: { options: ts.CompilerOptions } }; folder: string }) => Transpiler;
};

describe("the transpiler", () => {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2022,
    sourceMap: true,
  };
  const fileName = "/project/apps/one.ts";
  const code = `import { join } from "node:path";\nexport const path: string = join("a", "b");\n`;
  let folder = "";
  const open = (changed: ts.CompilerOptions = {}): Transpiler =>
    create({ service: { config: { options: { ...options, ...changed } } }, folder });
  const plain = (text: string, changed: ts.CompilerOptions = {}): string =>
    ts.transpileModule(text, { fileName, compilerOptions: { ...options, ...changed } }).outputText;
  /** Changes what is kept of the only file, to tell a kept answer from a new one. */
  const mark = (): void => {
    const [name = ""] = readdirSync(folder);
    const text = readFileSync(join(folder, name), "utf8");
    writeFileSync(join(folder, name), text.replace("exports.path", "exports.marked"));
  };

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "homeport-transpiler-"))));
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("gives what TypeScript gives, now and from what it kept", () => {
    assert.equal(open().transpile(code, { fileName }).outputText, plain(code));
    const again = open().transpile(code, { fileName });
    assert.equal(again.outputText, plain(code));
    assert.match(again.sourceMapText ?? "", /"mappings"/);
  });

  it("transpiles an unchanged file once", () => {
    open().transpile(code, { fileName });
    mark();
    assert.match(open().transpile(code, { fileName }).outputText, /exports\.marked/);
  });

  it("transpiles anew what has changed: the code, the file, or the options", () => {
    open().transpile(code, { fileName });
    mark();
    const changed = code.replace('"b"', '"c"');
    assert.equal(open().transpile(changed, { fileName }).outputText, plain(changed));
    mark();
    const es5 = { target: ts.ScriptTarget.ES5 };
    assert.equal(open(es5).transpile(changed, { fileName }).outputText, plain(changed, es5));
    mark();
    const other = open(es5).transpile(changed, { fileName: "/project/apps/two.ts" });
    assert.equal(other.outputText.includes("marked"), false);
  });

  it("keeps one file for a source file, however often it changes", () => {
    for (let turn = 0; turn < 5; turn++) open().transpile(`${code}// ${turn}\n`, { fileName });
    assert.equal(readdirSync(folder).length, 1);
  });

  it("takes what was cut off for nothing", () => {
    open().transpile(code, { fileName });
    const [name = ""] = readdirSync(folder);
    writeFileSync(join(folder, name), readFileSync(join(folder, name), "utf8").slice(0, 60));
    assert.equal(open().transpile(code, { fileName }).outputText, plain(code));
  });

  it("tells a mistake of syntax every time", () => {
    for (let turn = 0; turn < 2; turn++) {
      const [first] = open().transpile("const = 1;", { fileName }).diagnostics ?? [];
      assert.match(JSON.stringify(first?.messageText), /Variable declaration expected/);
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  it("does without a folder that it can't write to", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const there = create({ service: { config: { options } }, folder: join(file, "below") });
    assert.equal(there.transpile(code, { fileName }).outputText, plain(code));
  });
});
