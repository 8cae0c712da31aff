import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, withLock } from "../../rehearsal/host/cache";
import { must, run, type Log } from "../../rehearsal/host/run";
import type { Host } from "../../rehearsal/site";
import { sshFiles } from "./raw";

const version = "2.19.14";

/** Installs Ansible from PyPI into the cache, once. @returns the folder of its programs */
async function ensureAnsible(log: Log): Promise<string> {
  const folder = join(cacheFolder(), "bench", `ansible-core-${version}`);
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    log(`installing ansible-core ${version} (once)`);
    const part = `${folder}.part`;
    rmSync(part, { recursive: true, force: true });
    await must(["python3", "-m", "venv", part]);
    const pip = [join(part, "bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"] as const;
    await must([...pip, `ansible-core==${version}`]);
    renameSync(part, folder);
  });
  return folder;
}

/** Where the two services' code is. */
export interface Code {
  readonly catscan: string;
  readonly clausea: string;
}

/** The same two services by a playbook, with all that makes Ansible fast: pipelining, one kept connection, no facts. */
export class AnsiblePeer {
  private constructor(
    private readonly python: string,
    private readonly folder: string,
    private readonly code: Code,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Deploys both for the first time. */
  static async open(host: Host, folder: string, code: Code, log: Log): Promise<AnsiblePeer> {
    const own = join(folder, "ansible");
    const { key, knownHosts } = sshFiles(host, own);
    mkdirSync(join(own, "archives"), { recursive: true });
    const variables = {
      ansible_user: "root",
      ansible_ssh_private_key_file: key,
      ansible_python_interpreter: "/usr/bin/python3",
    };
    const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    writeFileSync(join(own, "inventory"), `${host.address} ${words.join(" ")}\n`);
    writeFileSync(
      join(own, "ansible.cfg"),
      [
        "[defaults]",
        "host_key_checking = true",
        "retry_files_enabled = false",
        `local_tmp = ${join(own, "tmp")}`,
        "[ssh_connection]",
        "pipelining = true",
        `control_path_dir = ${join(own, "cp")}`,
        `ssh_args = -F none -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${knownHosts}`,
        "",
      ].join("\n"),
    );
    const env = { ...process.env, ANSIBLE_CONFIG: join(own, "ansible.cfg"), ANSIBLE_NOCOLOR: "1", LC_ALL: "C.UTF-8" };
    // By the module: the scripts that pip made name the folder in which the environment was built.
    const python = join(await ensureAnsible(log), "bin/python");
    const peer = new AnsiblePeer(python, own, code, env);
    await peer.deploy();
    return peer;
  }

  /** Ends the connection that ssh keeps for the next run. */
  async close(): Promise<void> {
    for (const socket of readdirSync(join(this.folder, "cp"))) {
      await run(["ssh", "-F", "none", "-o", `ControlPath=${join(this.folder, "cp", socket)}`, "-O", "exit", "host"]);
    }
  }

  /** @returns the playbook's summary */
  async deploy(): Promise<string> {
    for (const [app, folder] of Object.entries(this.code) as [string, string][]) {
      await must(["tar", "-czf", join(this.folder, "archives", `${app}.tar.gz`), "-C", folder, "."]);
    }
    const variables = {
      archives: join(this.folder, "archives"),
      catscan: this.code.catscan,
      api_key: "bench-0123456789abcdef",
    };
    const argv = [
      "-i",
      join(this.folder, "inventory"),
      "-e",
      JSON.stringify(variables),
      join(__dirname, "ansible/playbook.yml"),
    ];
    const said = await must([this.python, "-m", "ansible.cli.playbook", ...argv], {
      env: this.env,
      timeoutMs: 600_000,
    });
    return said.slice(said.indexOf("PLAY RECAP"));
  }
}
