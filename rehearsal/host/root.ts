import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder, withLock } from "./cache";
import type { Recipe, Suite } from "./recipe";
import { certificates, recipe, rootName } from "./recipe";
import type { Log } from "./run";
import { RehearsalError, leashed, must, run } from "./run";
import { ensureTools } from "./tools";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const unusedAfterMs = 30 * 24 * 3600 * 1000;

/** What `ensureRoot` may be told. */
export interface RootOptions {
  readonly log: Log;
  /** Default: trixie (Debian 13). bookworm (Debian 12) comes without pgvector. */
  readonly suite?: Suite;
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => join(folder, file));
}

/** The CAs that this machine trusts and that Debian's own list doesn't have. */
function localCertificates(): string[] {
  const bundle = process.env["SSL_CERT_FILE"] ?? "/etc/ssl/certs/ca-certificates.crt";
  if (!existsSync(bundle)) return [];
  const debian = new Set(
    filesUnder("/usr/share/ca-certificates")
      .filter((file) => file.endsWith(".crt"))
      .flatMap((file) => certificates(readFileSync(file, "utf8"))),
  );
  return [...new Set(certificates(readFileSync(bundle, "utf8")))].filter((one) => !debian.has(one)).sort();
}

/** Unpacks the packages of a recipe into `root`. mmdebstrap does in one apt run what debootstrap and a second apt run do. */
async function unpack(made: Recipe, root: string, log: Log): Promise<void> {
  // Nobody waits for this disk to be safe, and nobody reads manual pages on it.
  const dpkg = [
    "force-unsafe-io",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
  ];
  const result = await run(
    leashed([
      ...(["mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory", `--keyring=${keyring}`] as const),
      ...['Acquire::Retries "3"', 'APT::Install-Recommends "false"'].map((option) => `--aptopt=${option}`),
      ...dpkg.map((option) => `--dpkgopt=${option}`),
      ...[`--include=${made.packages.join(",")}`, made.suite, root, ...made.sources],
    ]),
    {
      onLine: (line) => {
        if (/^I: (running|downloading|extracting|installing|success)/.test(line)) log(`  ${line.slice(3)}`);
      },
    },
  );
  if (result.code === 0) return;
  const said = result.stderr.trim().split("\n").slice(-8).join("\n");
  throw new RehearsalError(
    `The Debian ${made.suite} root can't be made from ${made.sources[0] ?? "Debian's default mirror"}:\n${said}\n` +
      "Check that this machine reaches the mirror, or name another in HOMEPORT_DEBIAN_MIRROR, then run the same command again.",
  );
}

async function build(made: Recipe, root: string, log: Log): Promise<void> {
  await unpack(made, root, log);
  const trusted = join(root, "usr/local/share/ca-certificates");
  mkdirSync(trusted, { recursive: true });
  made.certificates.forEach((pem, index) => {
    writeFileSync(join(trusted, `machine-${index}.crt`), `${pem}\n`);
  });
  for (const [path, text] of Object.entries(made.programs)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o755 });
  }
  await must(["chroot", root, "sh", "-eu", "-c", made.customize], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" },
  });
}

/** Removes half-made roots, and finished ones that nobody has used for a month. */
function prune(folder: string, keep: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    const stale = Date.now() - statSync(path).mtimeMs > unusedAfterMs;
    if (name !== keep && (name.endsWith(".part") || stale)) rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Makes the root that hosts boot copies of, once: a Debian with what the apps' hosts run, in a folder of the cache named by
 * its recipe's hash. Returns that folder. Takes about a minute when it isn't there, and installs what making it needs.
 */
export async function ensureRoot(options: RootOptions): Promise<string> {
  await ensureTools(options.log);
  const made = recipe(options.suite ?? "trixie", process.env["HOMEPORT_DEBIAN_MIRROR"], localCertificates());
  const folder = join(cacheFolder(), "rehearsal", "roots");
  const name = rootName(made);
  const root = join(folder, name);
  const wait = (): void => {
    options.log(`another run is making the Debian ${made.suite} root: waiting for it`);
  };
  if (!existsSync(root)) {
    await withLock(
      `${folder}.lock`,
      async () => {
        if (existsSync(root)) return;
        prune(folder, name);
        mkdirSync(folder, { recursive: true });
        options.log(`making the Debian ${made.suite} root (about a minute, once)`);
        const started = performance.now();
        const part = `${root}.part`;
        try {
          await build(made, part, options.log);
          renameSync(part, root);
        } finally {
          rmSync(part, { recursive: true, force: true });
        }
        options.log(`made the Debian ${made.suite} root in ${Math.round((performance.now() - started) / 1000)} s`);
      },
      wait,
    );
  }
  utimesSync(root, new Date(), new Date());
  return root;
}
