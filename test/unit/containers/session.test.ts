import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { inServicesPlace, rememberPlace } from "../../../targets/containers/session";

describe("a session in a service's instance", () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "homeport-shell-")));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const here = (line: string): string => line.replaceAll("/tmp/homeport-shell", join(folder, "kept"));
  const sh = (shell: string, line: string, env: NodeJS.ProcessEnv, cwd: string): string => {
    // Bash takes a socket as its input for a session of rshd, and reads its start-up file.
    const stdio = ["ignore", "pipe", "pipe"] as const;
    const program = shell === "bash" ? ["--posix"] : [];
    const { stdout, stderr } = spawnSync(shell, [...program, "-c", here(line)], {
      encoding: "utf8",
      env,
      cwd,
      stdio: [...stdio],
    });
    assert.equal(stderr, "");
    return stdout;
  };

  for (const shell of ["dash", "bash"]) {
    it(`has the service's environment and folder, by ${shell}`, () => {
      const work = join(folder, "it's a folder");
      mkdirSync(work);
      fc.assert(
        fc.property(
          fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
          (word) => {
            const path = { PATH: process.env["PATH"] ?? "" };
            sh(shell, `${rememberPlace}; exec true`, { ...path, WORD: word, ONLY: "the service's" }, work);
            const said = sh(shell, inServicesPlace('printf "%s|%s|%s" "$(pwd)" "$ONLY" "$WORD"'), path, "/");
            assert.equal(said, `${work}|the service's|${word}`);
          },
        ),
        { numRuns: 15 },
      );
      assert.equal(statSync(join(folder, "kept")).mode & 0o777, 0o600);
    });
  }

  it("has what it has by itself where nothing was remembered", () => {
    assert.equal(sh("dash", inServicesPlace("echo $WORD"), { WORD: "own" }, "/"), "own\n");
  });
});
