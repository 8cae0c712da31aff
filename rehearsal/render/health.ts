import { request } from "node:http";
import { connect } from "node:net";
import type { Instance, Service } from "./state";
import { pause, type World } from "./world";

const probeMs = 5_000;

function probeTcp(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeMs });
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
}

function probeHttp(host: string, port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host, port, path, timeout: probeMs, agent: false }, (response) => {
      response.resume();
      const code = response.statusCode ?? 0;
      // https://render.com/docs/health-checks: 2xx or 3xx within five seconds.
      resolve(code >= 200 && code < 400);
    });
    asked.once("timeout", () => {
      asked.destroy(new Error("timeout"));
    });
    asked.once("error", () => {
      resolve(false);
    });
    asked.end();
  });
}

async function probe(world: World, service: Service, instance: Instance): Promise<boolean> {
  if (instance.isSick) return false;
  const address = world.runtime.address(instance.id, instance.port);
  if (address === undefined) return true; // Nothing listens for real.
  const path = service.details.healthCheckPath ?? "";
  return path === "" ? probeTcp(address.host, address.port) : probeHttp(address.host, address.port, path);
}

/** Whether connections show that an instance is up: a private service's port is known only where it is set. */
const isProbed = ({ type, envVars }: Service): boolean =>
  type === "web_service" || (type === "private_service" && envVars["PORT"] !== undefined);

/** Waits until an instance is healthy. Returns what is wrong where it doesn't get so. */
export async function awaitHealthy(world: World, service: Service, instance: Instance): Promise<string | undefined> {
  const { timings, clock } = world;
  const until = clock.now() + (isProbed(service) ? timings.healthy : timings.settle);
  while (clock.now() < until) {
    if (!instance.isUp) return "Exited early";
    if (isProbed(service) && (await probe(world, service, instance))) return undefined;
    await pause(world, Math.min(timings.probe, isProbed(service) ? timings.probe : timings.settle));
  }
  if (!isProbed(service)) return instance.isUp && !instance.isSick ? undefined : "Exited early";
  return service.details.healthCheckPath === undefined || service.details.healthCheckPath === ""
    ? `Port scan timeout reached, no open ports detected on 0.0.0.0:${instance.port}`
    : `Timed out after waiting for internal health check to return a successful response code at: ${service.details.healthCheckPath}`;
}
