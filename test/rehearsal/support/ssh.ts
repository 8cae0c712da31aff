import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Puts a program in ssh's place: a shell in an instance of an emulator, in place of a platform's own address.
 * @param endpoint the emulator's origin, @returns the folder that it is in, for PATH
 */
export function placeSsh(folder: string, endpoint: string): string {
  const programs = join(folder, "programs");
  mkdirSync(programs);
  writeFileSync(
    join(programs, "ssh"),
    `#!${process.execPath}
const [address = "", command] = process.argv.slice(-2);
const body = JSON.stringify({ service: address.split("@")[0], command });
const headers = { "content-type": "application/json" };
fetch("${endpoint}/rehearsal/ssh", { method: "POST", headers, body }).then(async (answer) => {
  const { code = 255, stdout = "", stderr = "" } = await answer.json();
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
});
`,
    { mode: 0o755 },
  );
  return programs;
}
