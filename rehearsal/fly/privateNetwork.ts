import type { Route } from "../platform/runtime";
import { apiAddress, flycastAddress, postgresAddress } from "./names";
import type { World } from "./world";

/** https://fly.io/docs/machines/api/working-with-machines-api/#api-addresses */
const apiPort = 4280;

/** Where this machine answers for the platform: the proxy's listeners and the API. */
export interface Front {
  readonly host: string;
  readonly port: number;
}

/** What the private network's addresses lead to, by all that the platform knows. */
export function routesOf(world: World, front: Front): Route[] {
  const { apps, edges, clusters } = world.state;
  const flycast = Object.entries(edges).flatMap(([edge, port]) => {
    const [name = "", outer = ""] = edge.split(":");
    const app = apps[name];
    const address = app === undefined ? undefined : flycastAddress(world, app);
    return address === undefined ? [] : [{ address, port: Number(outer), to: { host: front.host, port } }];
  });
  const databases = Object.values(clusters).flatMap((cluster) => {
    const { postgres } = world.settings;
    const { ports } = cluster;
    if (postgres === undefined || ports === undefined) return [];
    return (["direct", "pooler"] as const).map((endpoint) => ({
      address: postgresAddress(world, cluster, endpoint),
      port: 5432,
      to: { host: postgres.host, port: ports[endpoint] },
    }));
  });
  return [{ address: apiAddress(world), port: apiPort, to: front }, ...flycast, ...databases];
}

/** Leads machines to what has addresses in their private network, as that comes and goes. */
export class PrivateNetwork {
  private told = "";
  private under: Promise<void> = Promise.resolve();
  private readonly look = (): void => {
    void this.sync();
  };

  constructor(
    private readonly world: World,
    private readonly front: Front,
  ) {
    world.changes.on("network", this.look);
  }

  /** Resolves once everything known by now is reached. */
  sync(): Promise<void> {
    this.under = this.under.then(() => this.tell());
    return this.under;
  }

  private async tell(): Promise<void> {
    const routes = routesOf(this.world, this.front);
    const text = JSON.stringify(routes);
    if (text === this.told) return;
    try {
      await this.world.runtime.route(routes);
      this.told = text;
    } catch (error) {
      process.stderr.write(`the private network isn't as it should be: ${String(error)}\n`);
    }
  }

  close(): Promise<void> {
    this.world.changes.off("network", this.look);
    return this.under;
  }
}
