import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { folderOf } from "../../../cli/putInto";
import { UsageError } from "../../../cli/errors";
import type { Service } from "../../../components/declaration";
import { Size, Volume } from "../../../components";
import { putIntoMachine } from "../../../targets/fly/operationsPut";
import { exitCodes } from "../../../targets/operations";
import { bytesOf, putCommand, type IncomingFile } from "../../../targets/putFile";

const content = Buffer.from("day,name,impressions\n".repeat(5_000));
const signal = new AbortController().signal;

/** The shells of Debian and of most images; busybox brings its own tools along. */
const shells = ["dash", "bash", "busybox"].filter(
  (name) => spawnSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" }).status === 0,
);

describe("putting a file into a service's volume", () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const left = (): string[] => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-put-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const file = (more: Partial<IncomingFile> = {}): IncomingFile => ({
    ...{ path: "", bytes: content.length, wholeBytes: content.length, to: at("in/a.csv"), unpack: false, signal },
    ...{ existing: "stays", mark: "m1", onSent: () => undefined, ...more },
  });
  function run(shell: string, wanted: IncomingFile, input: Buffer) {
    const [, ...rest] = putCommand(wanted);
    const [program, args] = shell === "busybox" ? ["busybox", ["sh", ...rest]] : [shell, rest];
    const { status, stderr } = spawnSync(program, args, { input, encoding: "utf8" });
    return { status, stderr };
  }

  it("has shells to try it with", () => {
    assert.ok(shells.includes("dash") && shells.includes("bash"));
  });

  for (const shell of shells) {
    it(`stores a whole file, packed or not, and makes its folder, by ${shell}`, () => {
      assert.deepEqual(run(shell, file(), content), { status: 0, stderr: "" });
      assert.deepEqual(run(shell, file({ to: at("in/b"), unpack: true }), gzipSync(content)), {
        status: 0,
        stderr: "",
      });
      assert.deepEqual(run(shell, file({ to: at("in/none"), wholeBytes: 0 }), Buffer.alloc(0)).status, 0);
      assert.deepEqual(readFileSync(at("in/a.csv")), content);
      assert.deepEqual(readFileSync(at("in/b")), content);
      assert.deepEqual(left(), ["in", "in/a.csv", "in/b", "in/none"]);
    });

    it(`leaves what is there, unless it is to be replaced, by ${shell}`, () => {
      writeFileSync(at("a"), "before");
      symlinkSync("/nowhere", at("link"));
      for (const to of [at("a"), at("link")]) assert.equal(run(shell, file({ to }), content).status, exitCodes.exists);
      assert.equal(readFileSync(at("a"), "utf8"), "before");
      assert.equal(run(shell, file({ to: at("a"), existing: "gives way" }), content).status, 0);
      assert.deepEqual(readFileSync(at("a")), content);
      mkdirSync(at("folder"));
      const { status, stderr } = run(shell, file({ to: at("folder"), existing: "gives way" }), content);
      assert.deepEqual([status, /it is a folder there/.test(stderr)], [1, true]);
      assert.deepEqual(left(), ["a", "folder", "link"]);
    });

    it(`tells whether there is one, and stores nothing then, by ${shell}`, () => {
      writeFileSync(at("a"), "");
      const ask = (name: string) => run(shell, file({ to: at(name), existing: "ask" }), Buffer.alloc(0)).status;
      assert.deepEqual([ask("a"), ask("b"), ask("new/c")], [exitCodes.exists, 0, 0]);
      assert.deepEqual(left(), ["a"]);
    });

    it(`keeps nothing of what didn't arrive whole, by ${shell}`, () => {
      const packed = gzipSync(content);
      const cases: readonly (readonly [Partial<IncomingFile>, Buffer])[] = [
        [{}, content.subarray(0, 100)],
        [{}, Buffer.alloc(0)],
        [{ wholeBytes: 10 }, content],
        [{ unpack: true }, packed.subarray(0, packed.length - 3)],
        [{ unpack: true }, content],
        [{ unpack: true, existing: "gives way" }, Buffer.from(packed).fill(9, 20, 25)],
      ];
      for (const [more, input] of cases) {
        const { status, stderr } = run(shell, file(more), input);
        assert.equal(status, 1, stderr);
        assert.match(stderr, /in\/a\.csv: .*(nothing was stored|arrive)/);
        assert.deepEqual(left(), ["in"]);
      }
    });

    it(`refuses what the disk has no room for, by ${shell}`, () => {
      const { status, stderr } = run(shell, file({ wholeBytes: 2 ** 52 }), content);
      assert.deepEqual([status, /the disk has \d+ MiB left/.test(stderr)], [1, true], stderr);
      assert.deepEqual(left(), ["in"]);
    });

    it(`takes any name for what it is, by ${shell}`, () => {
      const name = fc.stringMatching(/^[ -~é]{1,20}$/).filter((one) => !/\/|^\.{1,2}$/.test(one));
      fc.assert(
        fc.property(name, (one) => {
          assert.deepEqual(run(shell, file({ to: at(one) }), content), { status: 0, stderr: "" });
          assert.deepEqual(left(), [one]);
          rmSync(at(one));
        }),
        { numRuns: 10 },
      );
    });
  }

  it("sends the file's bytes, tells how many, and ends where it is asked to", async () => {
    writeFileSync(at("local"), content);
    let sent = 0;
    const chunks: Buffer[] = [];
    for await (const chunk of bytesOf(file({ path: at("local"), onSent: (more) => (sent += more) })))
      chunks.push(chunk as Buffer);
    assert.deepEqual([Buffer.concat(chunks), sent], [content, content.length]);
    const ended = bytesOf(file({ path: at("local"), signal: AbortSignal.abort() }));
    await assert.rejects(ended.toArray(), { name: "AbortError" });
    await assert.rejects(bytesOf(file({ path: at("none") })).toArray(), { code: "ENOENT" });
  });

  describe("through Fly's API, which gives commands no input", () => {
    const commands: (readonly string[])[] = [];
    const machine = (breakAt?: number) => {
      commands.length = 0;
      return (command: readonly string[]) => {
        commands.push(command);
        if (commands.length === breakAt) return Promise.reject(new Error("the answer was lost"));
        const [program = "", ...args] = command;
        const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
        return Promise.resolve({ exit_code: status ?? 1, stdout, stderr });
      };
    };
    const big = Buffer.alloc(700_000, "0123456789é");

    it("goes in parts that a command takes, and is stored whole", async () => {
      for (const [name, bytes, unpack] of [
        ["big", big, false],
        ["small", gzipSync(big), true],
        ["none", Buffer.alloc(0), false],
      ] as const) {
        // prettier-ignore
        writeFileSync(at("local"), bytes);
        const wholeBytes = unpack ? big.length : bytes.length;
        let sent = 0;
        const wanted = { path: at("local"), bytes: bytes.length, wholeBytes, unpack, to: at(`in/${name}`) };
        const code = await putIntoMachine(machine(), file({ ...wanted, onSent: (more) => (sent += more) }), "app");
        assert.deepEqual([code, sent], [0, bytes.length]);
        assert.equal(readFileSync(at(`in/${name}`)).length, wholeBytes);
        if (!unpack) assert.deepEqual(readFileSync(at(`in/${name}`)), bytes);
        // execve(2): one word has 128 KiB at most.
        for (const word of commands.flat()) assert.ok(word.length < 131_072);
      }
      assert.deepEqual(readdirSync(at("in")).sort(), ["big", "none", "small"]);
    });

    it("does a part that is sent twice once, and leaves nothing where it is cut off", async () => {
      writeFileSync(at("local"), big);
      const wanted = file({ path: at("local"), bytes: big.length, wholeBytes: big.length, to: at("in/big") });
      const exec = machine();
      const twice = (command: readonly string[]) =>
        /base64/.test(command[2] ?? "") ? exec(command).then(() => exec(command)) : exec(command);
      assert.equal(await putIntoMachine(twice, wanted, "app"), 0);
      assert.deepEqual(readFileSync(at("in/big")), big);
      rmSync(at("in/big"));
      await assert.rejects(putIntoMachine(machine(2), wanted, "app"), /the answer was lost/);
      assert.deepEqual(readdirSync(at("in")), []);
    });

    it("asks without sending, and refuses what would take too long with the command that does it", async () => {
      assert.equal(await putIntoMachine(machine(), file({ existing: "ask", to: at("x") }), "app"), 0);
      assert.equal(commands.length, 1);
      const huge = file({ path: "rec's.mp4", bytes: 2 ** 30, to: "/data/rec.mp4" });
      await assert.rejects(
        putIntoMachine(machine(), huge, "app"),
        /fly ssh sftp put 'rec'\\''s\.mp4' '\/data\/rec\.mp4' --app app/,
      );
    });
  });

  it("goes below a volume of the service and nowhere else", () => {
    const service = {
      name: "api",
      volumes: [Volume.at("/data", Size.gib(1))],
      folders: ["/data/in"],
    } as unknown as Service;
    assert.equal(folderOf(service, "/data/recovery/"), "/data/recovery");
    assert.equal(folderOf(service, "/data"), "/data");
    for (const text of ["/etc", "data", "/data/../etc", "/database", "", "/data/a\nb", "../data"]) {
      assert.throws(() => folderOf(service, text), (error) => error instanceof UsageError && /\/data/.test(error.see), text); // prettier-ignore
    }
    assert.throws(() => folderOf({ name: "web" } as unknown as Service, "/data"), /web has no volume/);
  });
});
