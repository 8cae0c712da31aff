import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ignore from "ignore";
import { describe, it } from "mocha";
import ts from "typescript";

const STANDINS = join(__dirname, "../../rehearsal/standins");

/** Where each app's own files start, as its runbook's source directory says. */
const APPS = {
  shopifly: "shopifly",
  catscan: "catscan",
  hotrod: "hotrod",
  tileshop: "tileshop",
  clausea: "clausea/apps/backend",
};

const read = (...path: string[]): string => readFileSync(join(STANDINS, ...path), "utf8");

/** Every committed file below a folder; what a run or an install leaves there is not looked at. */
function files(folder: string, extension: string): string[] {
  return execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z", "."], { cwd: join(STANDINS, folder) })
    .toString()
    .split("\0")
    .filter((name) => name.endsWith(extension) && existsSync(join(STANDINS, folder, name)))
    .map((name) => join(STANDINS, folder, name));
}

/** Requirement lines as name -> version; anything but an exact pin fails. */
function pins(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const match = /^([a-z0-9-]+)==([0-9][0-9a-z.]*)(?: ; .+)?$/.exec(line);
      assert.ok(match, `"${line}" is not an exact pin`);
      return [match[1]!, match[2]!];
    }),
  );
}

const hosts = (text: string): string[] => [...new Set([...text.matchAll(/https?:\/\/([^/"]+)/g)].map((m) => m[1]!))];

describe("stand-in apps", () => {
  for (const [name, folder] of Object.entries(APPS)) {
    it(`${name} has what a deployment reads, and a .gitignore that keeps a run's leavings out`, () => {
      assert.match(read(folder, "VERSION"), /^\d+\.\d+\.\d+\n$/);
      assert.match(read(folder, "Dockerfile"), /^FROM .+(.|\n)*^CMD /m);
      assert.ok(read(folder, ".dockerignore").includes(".env"));
      const ignored = ignore().add(read(name, ".gitignore"));
      for (const leaving of [".env", "data.db", "build/out.js"])
        assert.ok(ignored.ignores(leaving), `${name}/.gitignore lets ${leaving} through`);
      const install = name === "hotrod" ? "node_modules/pg/index.js" : "venv/bin/python";
      assert.ok(ignored.ignores(install));
      assert.ok(!ignored.ignores("FAULT") && !ignored.ignores("VERSION"), "faults must reach the host");
      const sources = readdirSync(join(STANDINS, folder), { withFileTypes: true }).filter((entry) => entry.isFile());
      assert.ok(!sources.some((entry) => entry.name === "FAULT"), "a fault was left switched on");
    });
  }

  it("pin every Python dependency exactly, the direct ones as their sources ask", () => {
    for (const name of ["catscan", "tileshop"]) {
      const pinned = pins(read(name, "requirements.txt"));
      for (const [dependency, version] of pins(read(name, "requirements.in")))
        assert.equal(pinned.get(dependency), version, `${name}: ${dependency}`);
    }
    const pinned = pins(read("shopifly", "requirements.txt"));
    for (const [, dependency, version] of read("shopifly", "pyproject.toml").matchAll(/"([a-z-]+)==([\d.]+)"/g))
      assert.equal(pinned.get(dependency!), version, `shopifly: ${dependency!}`);
  });

  it("lock files choose no registry but the default one", () => {
    assert.deepEqual(hosts(read(APPS.clausea, "uv.lock")).sort(), ["files.pythonhosted.org", "pypi.org"]);
    const lock = JSON.parse(read("hotrod", "package-lock.json")) as {
      packages: Record<string, { version?: string; resolved?: string; integrity?: string }>;
    };
    const manifest = JSON.parse(read("hotrod", "package.json")) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
      assert.equal(lock.packages[`node_modules/${name}`]?.version, version);
    for (const [path, { resolved, integrity }] of Object.entries(lock.packages)) {
      if (path === "") continue;
      // Without an address in the lock, npm takes each package from the registry that the host is set up with.
      assert.equal(resolved, undefined, path);
      assert.ok(integrity, path);
    }
    for (const name of ["shopifly", "catscan", "tileshop"]) {
      const text = read(name, "requirements.txt");
      assert.deepEqual(hosts(text), [], `${name}/requirements.txt`);
      assert.ok(!/--(extra-)?index-url|--find-links/.test(text), `${name}/requirements.txt chooses a registry`);
    }
  });

  it("hotrod has the scripts that its runbook runs", () => {
    const { scripts } = JSON.parse(read("hotrod", "package.json")) as { scripts: Record<string, string> };
    for (const script of ["start", "worker", "prisma:migrate", "ingest", "export-embeddings"]) {
      // Without exec, npm's shell dies of a SIGTERM and leaves node running.
      const match = /^exec node build\/(\w+)\.js$/.exec(scripts[script] ?? "");
      assert.ok(match, `npm run ${script}`);
      assert.ok(existsSync(join(STANDINS, "hotrod/app", `${match[1]!}.ts`)), `npm run ${script}`);
    }
    assert.ok(scripts.build);
  });

  it("share one faults.py where they share a framework", () => {
    for (const folder of [APPS.catscan, APPS.clausea])
      assert.equal(read(folder, "faults.py"), read(APPS.shopifly, "faults.py"), folder);
  });

  it("are valid Python and TypeScript", () => {
    const python = files(".", ".py");
    assert.ok(python.length > 20);
    const parse = "import ast, sys\nfor name in sys.argv[1:]: ast.parse(open(name).read(), name)";
    execFileSync("python3", ["-c", parse, ...python], { stdio: ["ignore", "ignore", "inherit"] });
    for (const file of files("hotrod/app", ".ts")) {
      const { diagnostics } = ts.transpileModule(readFileSync(file, "utf8"), { reportDiagnostics: true });
      assert.deepEqual(
        diagnostics?.map(
          ({ messageText }) => `${relative(STANDINS, file)}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
        ),
        [],
      );
    }
  });
});
