import { connect } from "node:net";
import { without } from "../platform/without";
import type { KeyValue, Postgres } from "./state";
import { nextNumber, pause, type World } from "./world";

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => {
      end(true);
    });
    socket.once("timeout", () => {
      end(false);
    });
    socket.once("error", () => {
      end(false);
    });
  });

/** What a data service runs: the official images, as Docker Hub has them. */
const contents = {
  postgres: ({ databaseName, databaseUser, password }: Postgres) => ({
    // Render's have pgvector, among other extensions: https://render.com/docs/postgresql-extensions
    image: "docker.io/pgvector/pgvector:pg17",
    port: 5432,
    env: { POSTGRES_DB: databaseName, POSTGRES_USER: databaseUser, POSTGRES_PASSWORD: password },
    path: "/var/lib/postgresql/data",
  }),
  keyValue: () => ({
    image: "docker.io/library/redis:7.4",
    port: 6379,
    env: {},
    path: "/data",
  }),
} as const;

/** Starts a data service and waits until it answers. It starts again where it was before, with what it held. */
export async function startData(world: World, service: Postgres | KeyValue): Promise<void> {
  const { id } = service;
  const { image, port, env, path } = "databaseName" in service ? contents.postgres(service) : contents.keyValue();
  const index = (world.state.dataServers[id] ??= nextNumber(world));
  await world.runtime.start({
    ...{ id, image, env, ports: [port], volumes: [{ name: id, path }], files: [], hostname: id },
    privateAddress: world.runtime.privateAddress(index),
  });
  for (let tries = 0; tries < 240; tries++) {
    const address = world.runtime.address(id, port);
    if (address === undefined || (await answers(address.host, address.port))) return;
    await pause(world, 250);
  }
  throw new Error(`${id} doesn't answer`);
}

/** Ends a data service and what it holds. */
export async function removeData(world: World, { id }: Postgres | KeyValue): Promise<void> {
  await world.runtime.remove(id);
  await world.runtime.removeVolume(id);
  world.state.dataServers = without(world.state.dataServers, id);
  world.store.save();
}

/** A data service's address in the private network, once it has one. */
export function dataAddress(world: World, id: string): string | undefined {
  const index = world.state.dataServers[id];
  return index === undefined ? undefined : world.runtime.privateAddress(index);
}
