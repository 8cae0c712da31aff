import { commonControls, done, type Control } from "../platform/control";
import type { Answer, Call } from "../platform/http";
import type { Journal } from "../platform/journal";
import { issueToken } from "./access";
import { cronDeployment, runCron } from "./cron";
import { pushed } from "./pushes";
import type { Token, Workspace } from "./state";
import { deploymentsOf, newId, type World } from "./world";

/** Where a domain is reached. */
export interface EdgeView {
  readonly domain: string;
  readonly port: number | undefined;
  readonly service: string | undefined;
  readonly environment: string | undefined;
  readonly project: string | undefined;
}

const missing = (what: string): Answer => ({ status: 404, body: { error: `no ${what}` } });

/** The rehearsal's own calls, by which it is told what to do wrong and asked what happened. */
const controls: Readonly<Record<string, Control<World>>> = {
  ...commonControls,
  "POST tokens": (world, wanted: Omit<Token, "id" | "token" | "createdAt">) => ({
    status: 200,
    body: issueToken(world, wanted),
  }),
  "POST workspaces": (world, { name, plan }: { name: string; plan: Workspace["plan"] }) => {
    const known = world.state.workspaces.find((one) => one.name === name);
    if (known === undefined) world.state.workspaces.push({ id: newId(), name, plan, createdAt: world.clock.now() });
    else known.plan = plan;
    world.store.save();
    return { status: 200, body: world.state.workspaces.find((one) => one.name === name) };
  },
  "POST settings": (world, settings: Partial<World["settings"]>) => {
    Object.assign(world.settings, settings);
    return done;
  },
  "POST repositories": async (world, { name, folder, branch }: { name: string; folder: string; branch?: string }) => ({
    status: 200,
    body: { commit: await pushed(world, name, folder, branch) },
  }),
  // A cron service's command, started now.
  "POST runs": async (world, { service, environment }: { service: string; environment: string }) => {
    const instance = world.state.instances[`${service}:${environment}`];
    const deployment = instance === undefined ? undefined : cronDeployment(world, instance);
    if (deployment === undefined) return missing("cron service");
    await runCron(world, deployment);
    return done;
  },
  // Stands for ssh.railway.com: a line of a shell in the first container that runs of a service's instance.
  "POST ssh": async (world, { service, command }: { service: string; command: string }) => {
    const of = Object.values(world.state.instances).find(({ id }) => id === service);
    const replica = deploymentsOf(world, of?.serviceId ?? "", of?.environmentId ?? "")
      .filter(({ isActive }) => isActive)
      .flatMap(({ replicas }) => replicas)
      .find(({ isUp }) => isUp);
    if (replica === undefined) return missing(`running instance ${service}`);
    const body = await world.runtime.exec(replica.id, ["/bin/sh", "-c", command], "", 600_000);
    return { status: 200, body };
  },
  "GET runs": (world, _body, _journal, query) => ({
    status: 200,
    body: Object.values(world.state.deployments)
      .filter((one) => one.serviceId === query.get("service"))
      .flatMap(({ runs }) => runs),
  }),
  "GET edges": (world) => {
    const { domains, services, environments, projects, edges } = world.state;
    return {
      status: 200,
      body: Object.values(domains).map(({ id, domain, serviceId, environmentId }): EdgeView => ({
        domain,
        port: edges[id],
        service: services[serviceId]?.name,
        environment: environments[environmentId]?.name,
        project: projects[environments[environmentId]?.projectId ?? ""]?.name,
      })),
    };
  },
};

/** Answers a call to the emulator itself, below /rehearsal. It takes no token, as only this machine reaches it. */
export async function answerControl(world: World, journal: Journal, call: Call): Promise<Answer> {
  const control = controls[`${call.method} ${call.path.replace("/rehearsal/", "")}`];
  return control === undefined
    ? missing(`control at ${call.method} ${call.path}`)
    : control(world, (call.body ?? {}) as never, journal, call.query);
}
