import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../../cli/stack";
import { DriverError } from "../../../drivers/error";

/** A folder on PATH with a `pulumi` that answers from a script, and a language host beside it as official ones have. */
class FakePulumi {
  readonly folder = mkdtempSync(join(tmpdir(), "homeport-pulumi-"));
  private readonly before = { ...process.env };

  constructor(script: string) {
    mkdirSync(join(this.folder, "bin"));
    this.program(
      "pulumi",
      `echo "$* | $PULUMI_BACKEND_URL | $PWD" >>'${this.folder}/calls'\ncase "$*" in\nversion*) echo v3.220.0 ;;\n${script}\nesac`,
    );
    this.program("pulumi-language-nodejs", "exit 0");
    process.env["PATH"] = `${this.folder}/bin:${process.env["PATH"] ?? ""}`;
    process.env["HOMEPORT_CACHE"] = join(this.folder, "cache");
    process.env["PULUMI_BACKEND_URL"] = "file:///backend-of-the-user";
    delete process.env["PULUMI_STACK"];
  }

  private program(name: string, script: string): void {
    const path = join(this.folder, "bin", name);
    writeFileSync(path, `#!/bin/bash\n${script}\n`);
    chmodSync(path, 0o755);
  }

  calls(): string[] {
    return readFileSync(join(this.folder, "calls"), "utf8")
      .trim()
      .split("\n")
      .filter((line) => !line.startsWith("version"));
  }

  remove(): void {
    process.env = this.before;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe("the stack's configuration", () => {
  let pulumi: FakePulumi;
  afterEach(() => {
    pulumi.remove();
  });
  const config = JSON.stringify({
    "homeport:environment": { value: "dev", secret: false },
    "vps:hosts": { value: '{"main":{}}', objectValue: { main: {} }, secret: false },
    "x:TOKEN": { value: "t", secret: true },
    "x:UNREADABLE": { secret: true },
  });

  it("comes from pulumi, in the stack's folder and with the user's own backend", async () => {
    pulumi = new FakePulumi(`config*) echo '${config}' ;;`);
    const { stack, entries } = await loadConfig({ stack: "org/homeport/prod", cwd: pulumi.folder });
    assert.equal(stack, "prod");
    assert.deepEqual(
      [...entries],
      [
        ["homeport:environment", { value: "dev", secret: false }],
        ["vps:hosts", { value: '{"main":{}}', secret: false }],
        ["x:TOKEN", { value: "t", secret: true }],
        ["x:UNREADABLE", { value: "", secret: true }],
      ],
    );
    assert.deepEqual(pulumi.calls(), [
      `config --show-secrets --json --stack org/homeport/prod --non-interactive --color never | file:///backend-of-the-user | ${pulumi.folder}`,
    ]);
  });

  it("is that of the selected stack where none is named, or of PULUMI_STACK", async () => {
    pulumi = new FakePulumi(`config*) echo '{}' ;;\n"stack --show-name"*) echo staging ;;`);
    assert.equal((await loadConfig({ stack: undefined, cwd: pulumi.folder })).stack, "staging");
    process.env["PULUMI_STACK"] = "canary";
    assert.equal((await loadConfig({ stack: undefined, cwd: pulumi.folder })).stack, "canary");
    assert.match(pulumi.calls().at(-1) ?? "", /--stack canary /);
  });

  const refusals: readonly (readonly [
    name: string,
    stderr: string,
    stack: string | undefined,
    what: RegExp,
    fix: RegExp,
  ])[] = [
    [
      "no stack is selected",
      "error: no stack selected; please use `pulumi stack select`",
      undefined,
      /^No stack is selected\.$/,
      /--stack NAME.*\(dev, prod\)/,
    ],
    [
      "there is no such stack",
      "error: no stack named 'prd' found",
      "prd",
      /^There is no stack "prd"; did you mean "prod"\?$/,
      /pulumi stack ls/,
    ],
    [
      "there is no passphrase",
      "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
      "prod",
      /can't be decrypted/,
      /PULUMI_CONFIG_PASSPHRASE_FILE/,
    ],
    [
      "there is no project",
      "error: no Pulumi project found in the current working directory",
      "prod",
      /no Pulumi project/,
      /--cwd DIR/,
    ],
    [
      "nobody is logged in",
      "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
      "prod",
      /isn't logged in/,
      /pulumi login/,
    ],
    ["something else is wrong", "error: disk on fire", "prod", /can't be read/, /pulumi config/],
  ];
  for (const [name, stderr, stack, what, fix] of refusals) {
    it(`is asked for in vain where ${name}`, async () => {
      pulumi = new FakePulumi(
        `"stack ls"*) echo '[{"name":"dev"},{"name":"prod"}]' ;;\n*) echo "${stderr.replaceAll("`", "\\`")}" >&2; exit 255 ;;`,
      );
      await assert.rejects(loadConfig({ stack, cwd: pulumi.folder }), (error) => {
        assert.ok(error instanceof DriverError);
        assert.match(error.parts.what, what);
        assert.match(error.parts.fix, fix);
        assert.ok(error.parts.where.includes(pulumi.folder));
        return true;
      });
    });
  }
});
