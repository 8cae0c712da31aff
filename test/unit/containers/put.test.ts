import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quote } from "../../../components/values/shell";
import { runInInstance, scpLine, type Session, type Ssh } from "../../../targets/containers/session";
import { exitCodes } from "../../../targets/operations";
import { bytesOf, putCommand, type IncomingFile } from "../../../targets/putFile";

/** As sshd runs a command line: by the user's shell, its input the session's. */
const shell: Ssh = (_address, line, input) =>
  new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", line], { stdio: ["pipe", "ignore", "ignore"] });
    child.once("error", reject);
    child.once("exit", (code) => {
      resolve(code ?? 255);
    });
    child.stdin.on("error", () => undefined);
    if (input === undefined) child.stdin.end();
    else input.pipe(child.stdin);
  });

describe("putting a file through a session in a service's instance", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-put-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const session: Session = { what: "x", where: "web", address: "i-1@ssh.example", setUp: "Add your key" };
  const content = Buffer.alloc(300_000, "a line\n");
  const file = (more: Partial<IncomingFile> = {}): IncomingFile => ({
    ...{ path: join(folder, "local"), bytes: content.length, wholeBytes: content.length, unpack: false, mark: "m" },
    ...{ to: join(folder, "in/it's a.csv"), existing: "stays", onSent: () => undefined, ...more },
    signal: new AbortController().signal,
  });
  const line = (one: IncomingFile): string => `exec ${putCommand(one).map(quote).join(" ")}`;

  it("stores it whole, once", async () => {
    writeFileSync(join(folder, "local"), content);
    assert.equal(await runInInstance(shell, session, line(file()), bytesOf(file())), 0);
    assert.deepEqual(readFileSync(join(folder, "in/it's a.csv")), content);
    assert.equal(await runInInstance(shell, session, line(file()), bytesOf(file())), exitCodes.exists);
    assert.deepEqual(readdirSync(join(folder, "in")), ["it's a.csv"]);
  });

  it("says how it goes by hand where no session can be had", async () => {
    const byHand = scpLine(session, { path: "it's.csv", to: "/data/it's.csv" });
    await assert.rejects(
      runInInstance(() => Promise.resolve(255), { ...session, byHand }, line(file())),
      /Add your key\. By hand it is: scp 'it'\\''s\.csv' 'i-1@ssh\.example:\/data\/it'\\''s\.csv'$/,
    );
  });
});
