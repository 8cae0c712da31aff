import { nodes, type Connection, type Environment, type Instance, type Named, type VolumeInstance } from "../api/types";
import type { Place } from "./find";
import type { Run } from "./run";
import { readState, type State } from "./state";

/** What there is in a project and in one environment of it. */
export interface Found {
  readonly environment: Environment;
  /** Environments in which Railway makes every new service, too: all that aren't forks. */
  readonly others: readonly Environment[];
  /** The project's, by name. */
  readonly services: ReadonlyMap<string, string>;
  readonly buckets: readonly Named[];
  /** The environment's, by the service's id. */
  readonly instances: ReadonlyMap<string, Instance>;
  readonly volumes: readonly VolumeInstance[];
  readonly state: State | undefined;
}

export const instanceFields = `
  id serviceId source { image repo } rootDirectory dockerfilePath startCommand preDeployCommand
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

export const volumeFields = "id volumeId serviceId mountPath sizeMB currentSizeMB state volume { name }";

const query = `query Look($projectId: String!, $environmentId: String!) {
  project(id: $projectId) {
    services { edges { node { id name } } }
    buckets { edges { node { id name } } }
    environments { edges { node { id name isEphemeral unmergedChangesCount sourceEnvironment { id } } } }
  }
  environment(id: $environmentId, projectId: $projectId) {
    serviceInstances { edges { node { ${instanceFields} } } }
    volumeInstances { edges { node { ${volumeFields} } } }
  }
  variables(projectId: $projectId, environmentId: $environmentId, unrendered: true)
}`;

interface Looked {
  readonly project: {
    readonly services: Connection<Named>;
    readonly buckets: Connection<Named>;
    readonly environments: Connection<Environment>;
  };
  readonly environment: {
    readonly serviceInstances: Connection<Instance>;
    readonly volumeInstances: Connection<VolumeInstance>;
  };
  readonly variables: Readonly<Record<string, unknown>>;
}

/** One request for all of it. */
export async function look(run: Run, place: Place): Promise<Found> {
  const { project, environment, variables } = await run.railway.ask<Looked>(query, { ...place });
  const environments = nodes(project.environments);
  const own = environments.find(({ id }) => id === place.environmentId);
  return {
    environment: own ?? { id: place.environmentId, name: run.spec.environment, isEphemeral: false },
    others: environments.filter(
      ({ id, isEphemeral, sourceEnvironment }) =>
        id !== place.environmentId && !isEphemeral && (sourceEnvironment ?? null) === null,
    ),
    services: new Map(nodes(project.services).map(({ id, name }) => [name, id])),
    buckets: nodes(project.buckets),
    instances: new Map(nodes(environment.serviceInstances).map((instance) => [instance.serviceId, instance])),
    volumes: nodes(environment.volumeInstances),
    state: readState(variables),
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
