import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { filesWith, readableFilesWith, secretsIn, secretsInJournal, type Marker } from "../secrets";
import type { Five } from "./five";

const whole = (markers: readonly Marker[]): string[] => [...new Set(markers.map((one) => one.of))];

/** Where a secret must not come to light. Each search is shown to find what is there. */
export function secrecyTests(five: Five): void {
  it("has secrets to look for: those given and those made", () => {
    const owners = whole(five.secrets);
    assert.ok(owners.includes("vps:privateKey") && owners.includes("catscan:GMAIL_CREDENTIALS"), owners.join(" "));
    assert.ok(owners.filter((of) => of.endsWith("-password")).length >= 4, owners.join(" "));
    assert.ok(
      five.secrets.every(({ text }) => text.length >= 20),
      "a marker is too short to mean anything",
    );
  });

  it("put none in a command line, here or on the host, during the first `up` (looked at every few milliseconds)", () => {
    assert.ok(five.looks / five.first.seconds > 10, `${five.looks} looks in ${five.first.seconds} s`);
    const all = five.commandLines.join("\n");
    assert.match(all, /node \.homeport\/driver\.cjs systemd app apply/);
    assert.match(all, /deploy\.sh apply|bash .*deploy/);
    assert.match(all, /probe-of-the-watcher/, "a process of the host that lived for a moment wasn't seen");
    for (const { of, text } of five.secrets) {
      const found = five.commandLines.filter((line) => line.includes(text));
      assert.deepEqual(
        found.map((line) => line.replaceAll(text, "***")),
        [],
        of,
      );
    }
  });

  it("printed none in `up`, nor in a preview with its differences when every secret changes", async () => {
    assert.deepEqual(secretsIn(five.first.output, five.secrets), []);
    const { stack, values } = five.world;
    const others = Object.fromEntries(
      Object.entries(values).flatMap(([key, value]) =>
        key.includes("ANTHROPIC") && typeof value === "object" && "secret" in value
          ? [[key, { secret: `another-${value.secret}` }]]
          : [],
      ),
    );
    const config = readFileSync(stack.configFile);
    await stack.configure(others);
    const { code, stdout, stderr } = await stack.preview();
    writeFileSync(stack.configFile, config);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /~ 3 to update/);
    assert.deepEqual(secretsIn(stdout + stderr, five.secrets), []);
  });

  it("left none readable in the stack's state, history and configuration", () => {
    const found = filesWith(five.world.stackFolder, five.secrets, /^passphrase$/);
    assert.deepEqual(found, []);
    const plain = [{ of: "a value that isn't secret", text: "upstash.example.com" }];
    assert.ok(filesWith(five.world.stackFolder, plain, /^passphrase$/).length > 0, "the search finds nothing at all");
  });

  it("left none in the host's journal", async () => {
    const { host } = five.world;
    assert.deepEqual(await secretsInJournal(host, five.secrets), []);
    assert.deepEqual(await secretsInJournal(host, [{ of: "sshd", text: "Accepted publickey" }]), ["sshd"]);
  });

  it("left none on the host in a file that anybody may read", async () => {
    const { host } = five.world;
    assert.deepEqual(await readableFilesWith(host, five.secrets), []);
    const planted = [{ of: "the test", text: "planted-for-the-search" }];
    await five.world.on("for d in /etc /run /opt; do echo planted-for-the-search >$d/planted; done");
    assert.deepEqual(await readableFilesWith(host, planted), ["/etc/planted", "/opt/planted", "/run/planted"]);
    await five.world.on("rm /etc/planted /run/planted /opt/planted");
  });
}
