import { readFileSync } from "node:fs";
import { quote } from "../../components/values/shell";
import type { Host } from "../host/host";
import type { Machine } from "../host/machine";
import { enterGuest, guestInit } from "../host/machine";
import { macOf } from "../host/network";
import { run } from "../host/run";
import type { Container, Executed, Route, Runtime, Stop, Watcher } from "./runtime";

/** What containers run on and how they are reached. */
export interface PodmanOptions {
  /** A booted host with podman. */
  readonly host: Host;
  /** The same one, to follow its containers' output. */
  readonly machine: Machine;
  /** A static init program on this machine. */
  readonly init: string;
  /** The nameserver that containers ask. */
  readonly nameserver: string;
  /** Rewrites an image's registry to where it is really had; undefined: the image is in the host, or nowhere. */
  readonly pullFrom: (image: string) => string | undefined;
}

const initPath = "/usr/local/libexec/rehearsal-init";
const volumesFolder = "/var/lib/containers/platform-volumes";
/** Ports of the host that containers' ports are published on: above those that services take, below the ephemeral ones. */
const firstPort = 20_000;
const portsInAll = 12_000;
const nameOf = (id: string): string => `platform-${id}`;

/**
 * Containers by podman in a host of the rehearsal. That host boots in a second, has podman in its image already, and takes
 * everything with it when it goes; a Docker engine on this machine would have to be installed, started and cleaned up after,
 * and changes this machine's firewall.
 */
export class PodmanRuntime implements Runtime {
  private watcher: Watcher | undefined;
  /** The published ports of what runs. */
  private readonly ports = new Map<string, ReadonlyMap<number, number>>();
  private readonly digests = new Map<string, string>();
  private nextPort = 0;
  private isClosed = false;

  constructor(private readonly options: PodmanOptions) {}

  /** Puts into the host what containers need. */
  async prepare(): Promise<void> {
    const made = await this.options.host.exec(
      `mkdir -p ${volumesFolder} "$(dirname ${initPath})" && { test -x ${initPath} || { cat >${initPath} && chmod 755 ${initPath}; }; }`,
      {
        input: readFileSync(this.options.init),
      },
    );
    if (made.code !== 0) throw new Error(`the host for containers can't be set up: ${made.stderr}`);
  }

  private async podman(script: string, input: string | Buffer = ""): Promise<string> {
    const done = await this.options.host.exec(script, { input });
    if (done.code !== 0) throw new Error(done.stderr.trim().split("\n").at(-1) ?? `exit code ${done.code}`);
    return done.stdout.trim();
  }

  async resolve(image: string): Promise<string | undefined> {
    const pinned = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
    const known = pinned === undefined ? undefined : this.digests.get(image);
    if (known !== undefined) return known;
    const from = this.options.pullFrom(image);
    const inspect = (name: string): string => `podman image inspect --format '{{.Digest}}' ${quote(name)}`;
    // A tag may have moved since the last pull; what isn't in the registry may have been loaded into the host.
    const pull =
      from === undefined
        ? ""
        : `podman pull --quiet --tls-verify=false ${quote(from)} >/dev/null && podman tag ${quote(from)} ${quote(untied(image))} && ${inspect(from)} || `;
    const found = await this.options.host.exec(`${pull}${inspect(image)} || ${inspect(untied(image))}`);
    if (found.code !== 0) return undefined;
    const digest = pinned ?? found.stdout.trim();
    this.digests.set(image, digest);
    return digest;
  }

  async start(container: Container): Promise<void> {
    await this.resolve(container.image);
    const ports = this.publish(container.ports);
    const { id, env, files } = container;
    const name = nameOf(id);
    const folder = `/run/platform/${id}`;
    for (const [index, file] of files.entries()) {
      const mode = (file.mode ?? 0o644).toString(8);
      await this.podman(
        `umask 077; mkdir -p ${folder}; cat >${folder}/${index} && chmod ${mode} ${folder}/${index}`,
        file.content,
      );
    }
    const [program, ...rest] = container.entrypoint ?? [];
    const options = [
      ...["--detach", "--name", name, "--log-driver", "k8s-file", "--init", "--init-path", initPath],
      // The hardware address belongs to the other: neighbours remember it longer than a machine takes to be replaced.
      ...["--network", "podman", "--ip", container.privateAddress, "--mac-address", macOf(container.privateAddress)],
      ...["--dns", this.options.nameserver],
      ...(container.search === undefined ? [] : ["--dns-search", container.search, "--dns-option", "ndots:15"]),
      ...["--hostname", container.hostname, "--pull", "never"],
      ...[...ports].flatMap(([inside, outside]) => ["--publish", `${outside}:${inside}`]),
      ...container.volumes.flatMap((volume) => ["--volume", `${volumesFolder}/${volume.name}:${volume.path}`]),
      ...files.flatMap((file, index) => ["--volume", `${folder}/${index}:${file.path}:ro`]),
      ...Object.keys(env).flatMap((variable) => ["--env", variable]),
      ...(container.entrypoint === undefined ? [] : ["--entrypoint", program ?? ""]),
    ];
    const command = [...rest, ...(container.command ?? [])];
    const made = container.volumes.map((volume) => `mkdir -p ${quote(`${volumesFolder}/${volume.name}`)}`);
    // Values come on standard input: arguments are for all to see.
    const script = [
      `podman rm --force --time 0 --ignore ${name} >/dev/null`,
      ...made,
      `while IFS= read -r -d '' pair; do export "$pair"; done`,
      `exec /usr/bin/podman run ${options.map(quote).join(" ")} ${quote(untied(container.image))} ${command.map(quote).join(" ")}`,
    ].join("\n");
    await this.podman(
      script,
      Object.entries(env)
        .map(([variable, value]) => `${variable}=${value}\0`)
        .join(""),
    );
    this.ports.set(id, ports);
    this.follow(id, "");
  }

  private publish(ports: readonly number[]): Map<number, number> {
    const taken = new Set([...this.ports.values()].flatMap((map) => [...map.values()]));
    return new Map(
      ports.map((inside) => {
        do this.nextPort = (this.nextPort + 1) % portsInAll;
        while (taken.has(firstPort + this.nextPort));
        return [inside, firstPort + this.nextPort];
      }),
    );
  }

  /** Passes on what a container logs, and how it ends. */
  private follow(id: string, options: string): void {
    const init = guestInit(this.options.machine);
    const name = nameOf(id);
    const enter = [
      ...enterGuest(init ?? 0),
      ...["/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/bin/sh", "-c"],
    ] as [string, ...string[]];
    const script = `podman logs --follow ${options} ${name} 2>&1; exit "$(podman wait ${name})"`;
    void run([...enter, script], { onLine: (line) => this.watcher?.logged(id, line) }).then(({ code }) => {
      if (this.isClosed || !this.ports.has(id)) return;
      this.ports.delete(id);
      this.watcher?.exited(id, { code });
    });
  }

  async stop(id: string, how: Stop): Promise<void> {
    const name = nameOf(id);
    const ended = new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (this.ports.has(id)) return;
        clearInterval(look);
        resolve();
      }, 20);
    });
    const seconds = Math.max(0.1, how.timeoutMs / 1000);
    await this.options.host.exec(
      `podman kill --signal ${quote(how.signal)} ${name} && timeout ${seconds} podman wait ${name} || podman kill --signal KILL ${name}`,
    );
    await ended;
  }

  async signal(id: string, signal: string): Promise<void> {
    await this.podman(`podman kill --signal ${quote(signal)} ${nameOf(id)}`);
  }

  async remove(id: string): Promise<void> {
    this.ports.delete(id);
    await this.options.host.exec(`podman rm --force --time 0 --ignore ${nameOf(id)}; rm -rf /run/platform/${id}`);
  }

  exec(id: string, command: readonly string[], stdin: string, timeoutMs: number): Promise<Executed> {
    const script = `exec podman exec --interactive --workdir / ${nameOf(id)} ${command.map(quote).join(" ")}`;
    return this.options.host.exec(script, { input: stdin, timeoutMs });
  }

  address(id: string, port: number): { readonly host: string; readonly port: number } | undefined {
    const published = this.ports.get(id)?.get(port);
    return published === undefined ? undefined : { host: this.options.machine.address, port: published };
  }

  async removeVolume(name: string): Promise<void> {
    await this.options.host.exec(`rm -rf ${quote(`${volumesFolder}/${name}`)}`);
  }

  async copyVolume(from: string, to: string): Promise<void> {
    const [source, target] = [from, to].map((name) => quote(`${volumesFolder}/${name}`));
    // Beside it first, so that what is killed here leaves no half of a copy.
    await this.podman(
      `rm -rf ${target}.part && { [ ! -d ${source} ] || cp -a ${source} ${target}.part; } && mkdir -p ${target}.part && rm -rf ${target} && mv ${target}.part ${target}`,
    );
  }

  async adopt(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const name = nameOf(id);
      const state = await this.options.host.exec(
        `podman inspect --format '{{.State.Status}}' ${name} && podman port ${name}`,
      );
      const [status, ...lines] = state.stdout.trim().split("\n");
      // `8080/tcp -> 0.0.0.0:20001`
      const ports = lines.map((line) => /^(\d+)\/\w+ -> .*:(\d+)$/.exec(line)).filter((match) => match !== null);
      this.ports.set(id, new Map(ports.map(([, inside, outside]) => [Number(inside), Number(outside)])));
      if (status === "running") this.follow(id, "--tail 0");
      else if (state.code === 0) this.follow(id, "--tail 0");
      else {
        this.ports.delete(id);
        this.watcher?.exited(id, { code: 137 });
      }
    }
    this.nextPort = Math.max(
      0,
      ...[...this.ports.values()].flatMap((map) => [...map.values()]).map((one) => one - firstPort),
    );
  }

  watch(watcher: Watcher): void {
    this.watcher = watcher;
  }

  /** podman's own network is 10.88.0.0/16, with its gateway first. */
  privateAddress(index: number): string {
    const number = 10 + (index % 65_000);
    return `10.88.${Math.floor(number / 256)}.${number % 256}`;
  }

  serviceAddress(index: number): string {
    return `10.87.${Math.floor(index / 256) % 256}.${index % 256}`;
  }

  async route(routes: readonly Route[]): Promise<void> {
    await this.podman("exec nft -f -", routeRules(routes));
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** The host's rules for addresses of services, in a table that is made anew in one transaction. */
function routeRules(routes: readonly Route[]): string {
  const elements = routes.map(({ address, port, to }) => `${address} . ${port} : ${to.host} . ${to.port}`);
  const lead = "ip daddr 10.87.0.0/16 dnat ip to ip daddr . tcp dport map @routes";
  return `\
table ip platform
delete table ip platform
table ip platform {
  map routes {
    type ipv4_addr . inet_service : ipv4_addr . inet_service
    ${elements.length === 0 ? "" : `elements = { ${elements.join(", ")} }`}
  }
  chain inward { type nat hook prerouting priority -110; ${lead}; }
  chain own { type nat hook output priority -110; ${lead}; }
  chain onward { type filter hook forward priority 0; ip daddr 10.87.0.0/16 meta l4proto tcp reject with tcp reset; }
}
`;
}

/** A reference without its digest: what is loaded by hand has another digest than what was pushed. */
const untied = (image: string): string => {
  const name = image.split("@")[0]!;
  return /:[\w.-]+$/.test(name) ? name : `${name}:latest`;
};
