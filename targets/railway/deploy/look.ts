import {
  isKept,
  isThere,
  type Connection,
  type Environment,
  type Instance,
  type Named,
  type VolumeInstance,
} from "../api/types";
import { chooseServices, type Choice } from "./choose";
import type { Place } from "./find";
import { allOf, pageInfo } from "./pages";
import type { Run } from "./run";
import { readState, type State } from "./state";

/** What there is in a project and in one environment of it. */
export interface Found extends Choice {
  readonly environment: Environment;
  /** Environments in which Railway makes every new service, too: all that aren't forks. */
  readonly others: readonly Environment[];
  readonly buckets: readonly Named[];
  /** The environment's, by the service's id. */
  readonly instances: ReadonlyMap<string, Instance>;
  readonly volumes: readonly VolumeInstance[];
  readonly state: State | undefined;
}

const instanceFields = `
  id serviceId deletedAt source { image repo } rootDirectory dockerfilePath startCommand preDeployCommand
  healthcheckPath healthcheckTimeout cronSchedule restartPolicyType restartPolicyMaxRetries
  numReplicas overlapSeconds drainingSeconds sleepApplication
  latestDeployment { id status canRollback deploymentStopped createdAt instances { id status } }
  domains {
    serviceDomains { id domain targetPort }
    customDomains {
      id domain targetPort
      status { dnsRecords { recordType fqdn requiredValue } verificationDnsHost verificationToken }
    }
  }`;

const volumeFields =
  "id volumeId serviceId mountPath sizeMB currentSizeMB state isPendingDeletion deletedAt volume { name }";

/** The lists of a project and of an environment, as they are asked for, with the arguments of a page. */
const lists = {
  services: (page = "") => `services${page} { edges { node { id name deletedAt } } ${pageInfo} }`,
  buckets: (page = "") => `buckets${page} { edges { node { id name } } ${pageInfo} }`,
  environments: (page = "") =>
    `environments${page} {
      edges { node { id name deletedAt isEphemeral unmergedChangesCount sourceEnvironment { id } } } ${pageInfo}
    }`,
  serviceInstances: (page = "") => `serviceInstances${page} { edges { node { ${instanceFields} } } ${pageInfo} }`,
  volumeInstances: (page = "") => `volumeInstances${page} { edges { node { ${volumeFields} } } ${pageInfo} }`,
};

const query = `query Look($projectId: String!, $environmentId: String!) {
  project(id: $projectId) {
    ${lists.services()}
    ${lists.buckets()}
    ${lists.environments()}
  }
  environment(id: $environmentId, projectId: $projectId) {
    ${lists.serviceInstances()}
    ${lists.volumeInstances()}
  }
  variables(projectId: $projectId, environmentId: $environmentId, unrendered: true)
}`;

interface OfProject {
  readonly services: Connection<Named>;
  readonly buckets: Connection<Named>;
  readonly environments: Connection<Environment>;
}
interface OfEnvironment {
  readonly serviceInstances: Connection<Instance>;
  readonly volumeInstances: Connection<VolumeInstance>;
}
interface Looked {
  readonly project: OfProject;
  readonly environment: OfEnvironment;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Asks for the later pages of a project's list. */
const moreOfProject =
  <Name extends keyof OfProject>(run: Run, id: string, name: Name) =>
  async (after: string): Promise<OfProject[Name]> => {
    const document = `query MoreOfProject($id: String!, $after: String) { project(id: $id) { ${lists[name]("(after: $after)")} } }`;
    return (await run.railway.ask<{ project: OfProject }>(document, { id, after })).project[name];
  };

/** Asks for the later pages of an environment's list. */
const moreOfEnvironment =
  <Name extends keyof OfEnvironment>(run: Run, id: string, name: Name) =>
  async (after: string): Promise<OfEnvironment[Name]> => {
    const document = `query MoreOfEnvironment($id: String!, $after: String) { environment(id: $id) { ${lists[name]("(after: $after)")} } }`;
    return (await run.railway.ask<{ environment: OfEnvironment }>(document, { id, after })).environment[name];
  };

/** An environment's volumes that are there to stay. */
export async function volumesOf(run: Run, environmentId: string): Promise<VolumeInstance[]> {
  const document = `query Volumes($environmentId: String!) { environment(id: $environmentId) { ${lists.volumeInstances()} } }`;
  const { environment } = await run.railway.ask<{ environment: OfEnvironment }>(document, { environmentId });
  const all = await allOf(environment.volumeInstances, moreOfEnvironment(run, environmentId, "volumeInstances"));
  return all.filter(isKept);
}

/** The project's services that are there to stay. */
export async function servicesOf(run: Run, projectId: string): Promise<Named[]> {
  const document = `query Services($projectId: String!) { project(id: $projectId) { ${lists.services()} } }`;
  const { project } = await run.railway.ask<{ project: OfProject }>(document, { projectId });
  return (await allOf(project.services, moreOfProject(run, projectId, "services"))).filter(isThere);
}

/** The project's buckets. */
export async function bucketsOf(run: Run, projectId: string): Promise<Named[]> {
  const document = `query Buckets($projectId: String!) { project(id: $projectId) { ${lists.buckets()} } }`;
  const { project } = await run.railway.ask<{ project: OfProject }>(document, { projectId });
  return allOf(project.buckets, moreOfProject(run, projectId, "buckets"));
}

/** One request for all of it, where no list has more pages than one. */
export async function look(run: Run, place: Place): Promise<Found> {
  const { projectId, environmentId } = place;
  const { project, environment, variables } = await run.railway.ask<Looked>(query, { ...place });
  const [services, buckets, environments, serviceInstances, volumes] = [
    await allOf(project.services, moreOfProject(run, projectId, "services")),
    await allOf(project.buckets, moreOfProject(run, projectId, "buckets")),
    (await allOf(project.environments, moreOfProject(run, projectId, "environments"))).filter(isThere),
    await allOf(environment.serviceInstances, moreOfEnvironment(run, environmentId, "serviceInstances")),
    await allOf(environment.volumeInstances, moreOfEnvironment(run, environmentId, "volumeInstances")),
  ];
  const own = environments.find(({ id }) => id === environmentId);
  const instances = new Map(serviceInstances.filter(isThere).map((instance) => [instance.serviceId, instance]));
  const state = readState(variables);
  return {
    environment: own ?? { id: environmentId, name: run.spec.environment, isEphemeral: false },
    others: environments.filter(
      ({ id, isEphemeral, sourceEnvironment }) =>
        id !== environmentId && !isEphemeral && (sourceEnvironment ?? null) === null,
    ),
    ...chooseServices(services.filter(isThere), state, instances),
    buckets,
    instances,
    volumes: volumes.filter(isKept),
    state,
  };
}

/** The variables of services as they were set, by the service's id: one request for all of them. */
export async function lookVariables(
  run: Run,
  place: Place,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  if (ids.length === 0) return new Map();
  const names = ids.map((_id, index) => `s${index}`);
  const document = `query Variables($projectId: String!, $environmentId: String!, ${names.map((name) => `$${name}: String!`).join(", ")}) {
  ${names
    .map(
      (name) =>
        `${name}: variables(projectId: $projectId, environmentId: $environmentId, serviceId: $${name}, unrendered: true)`,
    )
    .join("\n  ")}
}`;
  const wanted = Object.fromEntries(ids.map((id, index) => [`s${index}`, id]));
  const answer = await run.railway.ask<Record<string, Readonly<Record<string, string>>>>(document, {
    ...place,
    ...wanted,
  });
  return new Map(ids.map((id, index) => [id, answer[`s${index}`] ?? {}]));
}
