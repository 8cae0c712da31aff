import assert from "node:assert/strict";
import fc from "fast-check";
import { envFile, toolConfig, variableName } from "../../../../targets/systemd/render/envFile";
import { shellWord } from "../../../../targets/systemd/render/quote";
import { assignment, execLine, raw, settingPath, unitText } from "../../../../targets/systemd/render/unitText";
import { decodeEnvFile, decodeExec, decodeWord } from "./systemdGrammar";
import { bash, nasty } from "./support";

describe("quoting for a systemd host", () => {
  it("gives a command's words to the program as they are", () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 5 }), (words) => {
        assert.deepEqual(decodeExec(execLine(words)), words);
      }),
    );
  });

  it("keeps a command on one line, whatever is in it", () => {
    fc.assert(
      fc.property(nasty, (word) => {
        assert.match(execLine(["/bin/echo", word]), /^[^\n\r\0]*$/);
      }),
    );
  });

  it("leaves systemd's own signs in raw words", () => {
    assert.equal(execLine([raw("--publish=${PORT}"), "100%", "$x"], "-+"), "-+--publish=${PORT} 100%% $$x");
  });

  it("gives Environment= values as they are", () => {
    fc.assert(
      fc.property(nasty, (value) => {
        assert.equal(decodeWord(assignment("NAME", value)[1]).replaceAll("%%", "%"), `NAME=${value}`);
      }),
    );
  });

  it("gives the variables of an environment file as they are", () => {
    const variables = fc.dictionary(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/), nasty);
    fc.assert(
      fc.property(variables, (values) => {
        assert.deepEqual(decodeEnvFile(envFile(values)), new Map(Object.entries(values)));
      }),
    );
  });

  it("writes environment files that bash reads to the same values", () => {
    const values = Object.fromEntries(fc.sample(nasty, 100).map((value, i) => [`V${i}`, value]));
    const names = Object.keys(values);
    const output = bash(`${envFile(values)}\nfor name; do printf '%s\\0' "\${!name}"; done`, ...names);
    assert.deepEqual(output.split("\0").slice(0, -1), Object.values(values));
  });

  it("writes words that a shell reads to the same text", () => {
    const words = fc.sample(nasty, 200);
    const output = bash(`printf '%s\\0' ${words.map(shellWord).join(" ")}`);
    assert.deepEqual(output.split("\0").slice(0, -1), words);
  });

  it("refuses what would end a line, a string or a list early", () => {
    assert.throws(() => execLine(["a\0b"]), /NUL/);
    assert.throws(() => envFile({ A: "\0" }), /NUL/);
    assert.throws(() => variableName("1A"), /can't be the name of a variable/);
    assert.throws(() => envFile({ "A=B\nC": "" }), /can't be the name of a variable/);
    assert.throws(() => unitText("x", [["Service", [["User", "a\nExecStart=/bin/evil"]]]]), /line break/);
    assert.throws(() => settingPath("/data:/etc"), /can't be bound/);
    assert.throws(() => settingPath("data"), /can't be bound/);
    assert.throws(() => toolConfig({ URL: "https://x\nAPP=y" }), /URL holds a line break/);
  });

  it("leaves absent values out of the tools' settings", () => {
    assert.equal(toolConfig({ A: "", B: undefined, KEEP: 0, C: "x=y #z" }), "KEEP=0\nC=x=y #z\n");
  });
});
