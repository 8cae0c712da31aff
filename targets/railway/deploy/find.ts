import { ApiError, createOnce } from "../../../drivers/http";
import { isThere, type Connection, type Named } from "../api/types";
import { lookSeconds } from "./lost";
import { allOf, pageInfo } from "./pages";
import type { Run } from "./run";

/** Where an app lives: ids of a project and of an environment in it. */
export interface Place {
  readonly projectId: string;
  readonly environmentId: string;
}

interface Listed extends Named {
  readonly environments: Connection<Named>;
}
const environmentFields = `edges { node { id name deletedAt } } ${pageInfo}`;
const projectFields = `id name environments { ${environmentFields} }`;

const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
const isCalled = (wanted: string) => (one: Named) => one.id === wanted || one.name === wanted;

/** Finds the project and the environment. @returns undefined where one of them isn't there */
export async function findPlace(run: Run): Promise<Place | undefined> {
  if (run.railway.connection.kind === "project") return placeOfToken(run);
  const found = await findProject(run);
  const environment = found === undefined ? undefined : await environmentOf(run, found);
  return found === undefined || environment === undefined
    ? undefined
    : { projectId: found.id, environmentId: environment.id };
}

/** Finds the project and the environment, or makes what lacks. */
export async function ensurePlace(run: Run): Promise<Place> {
  if (run.railway.connection.kind === "project") return placeOfToken(run);
  const { spec, railway } = run;
  const project = (await findProject(run)) ?? (await makeProject(run));
  const environment = await environmentOf(run, project);
  if (environment !== undefined) return { projectId: project.id, environmentId: environment.id };
  const deadline = railway.deadline(240, `environment ${spec.environment} to be created`);
  const find = async (): Promise<Named | undefined> => {
    const again = await projectById(run, project.id);
    return again === undefined ? undefined : environmentOf(run, again);
  };
  const made = await createOnce<Named>(railway.client, {
    deadline,
    lookSeconds,
    create: async () => {
      const input = { projectId: project.id, name: spec.environment, skipInitialDeploys: true };
      try {
        const answer = await railway.make<{ environmentCreate: Named }>(
          "mutation CreateEnvironment($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { id name } }",
          { input },
          { deadline },
        );
        return answer.environmentCreate;
      } catch (error) {
        // A run that was cut off has made it, and it isn't listed yet.
        if (!isTaken(error)) throw error;
        for (;;) {
          if (!(await run.pause(5000, deadline))) throw error;
          const found = await find();
          if (found !== undefined) return found;
        }
      }
    },
    find,
  });
  run.changed(`environment ${spec.environment} is created in project ${project.name}`);
  return { projectId: project.id, environmentId: made.id };
}

/** The project's environment of the stack's name or id. */
async function environmentOf(run: Run, { id, environments }: Listed): Promise<Named | undefined> {
  const query = `query Environments($id: String!, $after: String) {
    project(id: $id) { environments(after: $after) { ${environmentFields} } }
  }`;
  const all = await allOf(environments, async (after) => {
    return (await run.railway.ask<{ project: Listed }>(query, { id, after })).project.environments;
  });
  const called = all.filter(isThere).filter(isCalled(run.spec.environment));
  if (called.length > 1) {
    throw run.error(
      `There are ${called.length} environments of that name.`,
      `their ids are ${called.map((one) => one.id).join(", ")}`,
      "pulumi config set railway:environment ID",
    );
  }
  return called[0];
}

/** A project's token says itself where it belongs. */
async function placeOfToken(run: Run): Promise<Place> {
  interface Told {
    readonly projectToken: { readonly project: Named; readonly environment: Named };
  }
  const query = "query TokenOfProject { projectToken { project { id name } environment { id name } } }";
  const { project, environment } = await run.railway
    .ask<Told>(query)
    .then(({ projectToken }) => projectToken)
    .catch(async (error: unknown) => {
      if (isRefused(error) && (await takes(run, "query TokenOfAccount { apiToken { workspaces { id } } }"))) {
        throw run.error(
          "railway:projectToken holds the token of an account or a workspace.",
          "Railway takes it as such, and not as a project's",
          "pulumi config rm railway:projectToken; pulumi config set --secret railway:apiToken",
        );
      }
      throw error;
    });
  const { spec } = run;
  if (!isCalled(spec.project)(project) || !isCalled(spec.environment)(environment)) {
    throw run.error(
      "The project's token belongs to another environment.",
      `it is of environment ${environment.name} of project ${project.name}, and sees and changes nothing else`,
      `a token of environment ${spec.environment} of project ${spec.project}, or one of the workspace: pulumi config set --secret railway:apiToken`,
    );
  }
  return { projectId: project.id, environmentId: environment.id };
}

async function findProject(run: Run): Promise<Listed | undefined> {
  const { project } = run.spec;
  if (isId(project)) {
    const found = await projectById(run, project);
    if (found !== undefined) return found;
    throw run.error(
      "There is no project of that id, or the token may not see it.",
      "railway:projects names it by its id",
      "a token of its workspace: pulumi config set --secret railway:apiToken",
    );
  }
  const found = (await projectsOf(run, await workspaceOf(run))).filter(isCalled(project));
  if (found.length > 1) {
    throw run.error(
      `There are ${found.length} projects of that name.`,
      `their ids are ${found.map(({ id }) => id).join(", ")}`,
      "pulumi config set --path railway:projects.APP ID",
    );
  }
  return found[0];
}

async function projectById(run: Run, id: string): Promise<Listed | undefined> {
  const query = `query ProjectById($id: String!) { project(id: $id) { ${projectFields} } }`;
  return run.railway.ask<{ project: Listed }>(query, { id }).then(
    ({ project }) => project,
    (error: unknown) => {
      // Railway says so of what isn't there, too.
      if (isRefused(error)) return undefined;
      throw error;
    },
  );
}

async function projectsOf(run: Run, workspaceId: string): Promise<Listed[]> {
  const query = `query Projects($workspaceId: String!, $after: String) {
    projects(workspaceId: $workspaceId, first: 100, after: $after) {
      edges { node { ${projectFields} } }
      ${pageInfo}
    }
  }`;
  const ask = async (page: Readonly<Record<string, string>>) =>
    (await run.railway.ask<{ projects: Connection<Listed> }>(query, { workspaceId, ...page })).projects;
  return allOf(await ask({}), (after) => ask({ after }));
}

/** The workspace that projects are looked for and made in. */
async function workspaceOf(run: Run): Promise<string> {
  if (run.workspaceId !== undefined) return run.workspaceId;
  interface Told {
    readonly apiToken: { readonly workspaces: readonly Named[] };
  }
  const query = "query Workspaces { apiToken { workspaces { id name } } }";
  const all = await run.railway
    .ask<Told>(query)
    .then(({ apiToken }) => apiToken.workspaces)
    .catch(async (error: unknown) => {
      if (isRefused(error) && (await takes(run, "query TokenOfProject { projectToken { projectId } }"))) {
        throw run.error(
          "railway:apiToken holds the token of a project.",
          "Railway takes it as such; it sees one environment, and can make neither projects nor environments",
          "pulumi config rm railway:apiToken; pulumi config set --secret railway:projectToken",
        );
      }
      throw error;
    });
  const { workspace } = run.spec;
  const fitting = workspace === undefined ? all : all.filter(isCalled(workspace));
  const [found] = fitting;
  if (found === undefined || fitting.length > 1) {
    throw run.error(
      found === undefined
        ? workspace === undefined
          ? "The token opens no workspace."
          : `The token doesn't open the workspace "${workspace}".`
        : "The token opens several workspaces.",
      all.length === 0 ? "Railway lists none for it" : `it opens ${all.map(({ name }) => name).join(", ")}`,
      all.length === 0
        ? "another token: pulumi config set --secret railway:apiToken"
        : `pulumi config set railway:workspace '${all[0]?.name ?? ""}'`,
    );
  }
  run.workspaceId = found.id;
  return found.id;
}

async function makeProject(run: Run): Promise<Listed> {
  const { railway, spec } = run;
  const workspaceId = await workspaceOf(run);
  const deadline = railway.deadline(240, `project ${spec.project} to be created`);
  const input = { name: spec.project, workspaceId, defaultEnvironmentName: spec.environment, prDeploys: false };
  const made = await createOnce<Listed>(railway.client, {
    deadline,
    create: async () => {
      const answer = await railway.make<{ projectCreate: Listed }>(
        `mutation CreateProject($input: ProjectCreateInput!) { projectCreate(input: $input) { ${projectFields} } }`,
        { input },
        { deadline },
      );
      return answer.projectCreate;
    },
    find: async () => (await projectsOf(run, workspaceId)).find(isCalled(spec.project)),
    lookSeconds,
  });
  run.changed(`project ${spec.project} is created`);
  return made;
}

const isTaken = (error: unknown): boolean =>
  error instanceof ApiError && error.failure.kind === "refused" && /already exists/i.test(error.failure.message);

const isRefused = (error: unknown): boolean =>
  error instanceof ApiError &&
  error.failure.kind === "refused" &&
  /not authorized|not found/i.test(error.failure.message);

/** Whether the token is one of the other kind. */
async function takes(run: Run, query: string): Promise<boolean> {
  return run.railway
    .asOther()
    .ask(query)
    .then(
      () => true,
      () => false,
    );
}
