import { randomBytes } from "node:crypto";
import type { Host } from "../host/host";

/** Starts data services in a rehearsal's host, for platforms that sell them. The host's image has the programs. */
export class HostServices {
  constructor(private readonly host: Host) {}

  private async must(script: string, input = ""): Promise<string> {
    const done = await this.host.exec(script, { input });
    if (done.code !== 0) throw new Error(`a data service's command failed: ${done.stderr.trim()}`);
    return done.stdout;
  }

  /** Starts a Redis server of its own, kept by a name. Returns its address with its password. */
  async redis(name: string): Promise<string> {
    const password = randomBytes(16).toString("hex");
    const port = Number((await this.must("ls /etc/redis/rehearsal-*.conf 2>/dev/null | wc -l")).trim()) + 6400;
    const config = [
      `port ${port}`,
      "bind 0.0.0.0",
      `requirepass ${password}`,
      // It is there for systemd once it takes connections.
      "supervised systemd",
      `dir /var/lib/redis/${name}`,
      "appendonly yes",
      "",
    ].join("\n");
    const file = `/etc/redis/rehearsal-${name}.conf`;
    await this.must(
      `set -e
umask 077
cat >'${file}'
install -d -o redis -g redis '/var/lib/redis/${name}'
chown redis '${file}'
systemd-run --quiet --property=Type=notify --unit='rehearsal-redis-${name}' --uid=redis --gid=redis redis-server '${file}'`,
      config,
    );
    return `redis://default:${password}@${this.host.address}:${port}`;
  }
}
