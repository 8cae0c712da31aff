import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../rehearsal/host/run";
import { type Host, type Railway, type Site, openSite } from "../../rehearsal/site";

describe("Railway on this machine", function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-railway-"));
  const repo = "acme/web";
  let site: Site;
  let railway: Railway;
  let host: Host;
  let projectId: string;
  let environmentId: string;
  const ids: Record<string, string> = {};

  async function graphql<T>(query: string, variables: object = {}): Promise<T> {
    const answer = await fetch(railway.endpoint, {
      method: "POST",
      headers: { authorization: `Bearer ${railway.token}`, "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await answer.json()) as { data: T; errors?: unknown };
    assert.equal(errors, undefined, `${query}: ${JSON.stringify(errors)}`);
    return data;
  }
  const commit = (version: string): Promise<string> => {
    const source = join(folder, "source", "service");
    mkdirSync(source, { recursive: true });
    copyFileSync(join(__dirname, "support", "railwayApp.py"), join(source, "main.py"));
    writeFileSync(join(source, "VERSION"), `${version}\n`);
    writeFileSync(
      join(source, "Dockerfile"),
      'FROM python:3.11-slim\nARG BAKED=nothing\nWORKDIR /app\nCOPY . .\nRUN echo "$BAKED" >BAKED\nCMD ["python3", "main.py"]\n',
    );
    return railway.repository(repo, join(folder, "source"));
  };
  const service = async (name: string, input: object): Promise<string> => {
    const { serviceCreate: made } = await graphql<{ serviceCreate: { id: string } }>(
      "mutation($input: ServiceCreateInput!) { serviceCreate(input: $input) { id } }",
      { input: { projectId, environmentId, name } },
    );
    ids[name] = made.id;
    await update(name, input);
    return made.id;
  };
  const update = (name: string, input: object): Promise<unknown> =>
    graphql(
      `
        mutation ($serviceId: String!, $environmentId: String!, $input: ServiceInstanceUpdateInput!) {
          serviceInstanceUpdate(serviceId: $serviceId, environmentId: $environmentId, input: $input)
        }
      `,
      { serviceId: ids[name], environmentId, input },
    );
  const variables = (name: string, values: Record<string, string>): Promise<unknown> =>
    graphql("mutation($input: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $input) }", {
      input: { projectId, environmentId, serviceId: ids[name], skipDeploys: true, variables: values },
    });
  const logs = async (id: string): Promise<string> => {
    const both = await graphql<Record<string, { message: string }[]>>(
      "query($id: String!) { deploymentLogs(deploymentId: $id) { message } buildLogs(deploymentId: $id) { message } }",
      { id },
    );
    return Object.values(both)
      .flat()
      .map(({ message }) => message)
      .join("\n");
  };
  const deploy = async (name: string, commitSha?: string): Promise<string> => {
    const { serviceInstanceDeployV2: id } = await graphql<{ serviceInstanceDeployV2: string }>(
      `
        mutation ($serviceId: String!, $environmentId: String!, $commitSha: String) {
          serviceInstanceDeployV2(serviceId: $serviceId, environmentId: $environmentId, commitSha: $commitSha)
        }
      `,
      { serviceId: ids[name], environmentId, commitSha },
    );
    return id;
  };
  const statusOf = async (id: string): Promise<string> =>
    (
      await graphql<{
        deployment: { status: string };
      }>("query($id: String!) { deployment(id: $id) { status } }", { id })
    ).deployment.status;
  const settled = async (id: string): Promise<string> =>
    poll(
      async () => {
        const status = await statusOf(id);
        return ["SUCCESS", "FAILED", "CRASHED"].includes(status) ? status : undefined;
      },
      { timeoutMs: 60_000, failure: async () => `${id} isn't settled: ${await logs(id)}` },
    );
  const succeeds = async (id: string): Promise<string> => {
    assert.equal(await settled(id), "SUCCESS", await logs(id));
    return id;
  };
  const visit = async (path = "/"): Promise<Record<string, never>> => {
    const url = await railway.url("web");
    const answer = await fetch(`${url!}${path}`);
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as Record<string, never>;
  };

  before(async () => {
    site = await openSite({ folder, log: () => undefined });
    railway = await site.railway();
    host = await site.host("railway");
    const { projectCreate: project } = await graphql<{
      projectCreate: { id: string; environments: { edges: { node: { id: string } }[] } };
    }>(
      "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) { id environments { edges { node { id } } } } }",
      { input: { name: "rehearsed", workspaceId: railway.workspaceId } },
    );
    projectId = project.id;
    environmentId = project.environments.edges[0]!.node.id;
  });
  after(async () => {
    await site.close();
    await assert.rejects(fetch(railway.endpoint), /fetch failed/);
    rmSync(folder, { recursive: true, force: true });
  });

  it("builds a service from a folder of a repository, with its variables, and gives it a domain", async () => {
    await commit("1");
    await service("redis", { source: { image: "docker.io/library/redis:7.4" } });
    await service("web", {
      source: { repo },
      rootDirectory: "service",
      healthcheckPath: "/health",
      healthcheckTimeout: 30,
      preDeployCommand: ["python3 main.py migrate"],
    });
    await variables("web", {
      KEY: "two\nlines 'quoted' \"twice\" $HOME",
      BAKED: "at build",
      REDIS_HOST: "${{redis.RAILWAY_PRIVATE_DOMAIN}}",
    });
    await graphql("mutation($input: ServiceDomainCreateInput!) { serviceDomainCreate(input: $input) { domain } }", {
      input: { serviceId: ids["web"], environmentId },
    });
    const [, web] = await Promise.all([deploy("redis").then(succeeds), deploy("web").then(succeeds)]);
    const { env, baked, version } = (await visit()) as unknown as {
      env: Record<string, string>;
      baked: string;
      version: string;
    };
    assert.deepEqual([version, baked, env["KEY"]], ["1", "at build", "two\nlines 'quoted' \"twice\" $HOME"]);
    assert.equal(env["RAILWAY_DEPLOYMENT_ID"], web);
    assert.equal(env["RAILWAY_GIT_REPO_NAME"], "web");
    assert.match(await logs(web), /migrated False[^]*version 1 listens on 8080/, "no volume before the start");
    const shown = await host.exec(
      "ps axww -o args; podman ps --all --quiet | xargs podman inspect --format '{{.Config.CreateCommand}}'",
    );
    assert.ok(!shown.stdout.includes("quoted"), "no secret among arguments");
  });

  it("finds another service by its private name, in its own environment alone", async () => {
    assert.deepEqual(await visit("/ping"), { redis: "+PONG" });
    const look = (search: string): Promise<{ stdout: string }> =>
      host.exec(
        `podman run --rm --network podman --dns ${new URL(railway.endpoint).hostname} --dns-search ${search} --dns-option ndots:15 python:3.11-slim getent hosts redis.railway.internal`,
      );
    assert.match((await look(`${environmentId}.rehearsal`)).stdout, /^10\.88\./);
    assert.equal((await look("00000000-0000-0000-0000-000000000000.rehearsal")).stdout, "");
  });

  it("keeps a volume's data over a new version, and backs it up and restores it", async () => {
    const { volumeCreate: volume } = await graphql<{ volumeCreate: { id: string } }>(
      "mutation($input: VolumeCreateInput!) { volumeCreate(input: $input) { id } }",
      { input: { projectId, environmentId, serviceId: ids["web"], mountPath: "/data" } },
    );
    await succeeds(await deploy("web"));
    assert.deepEqual(await visit("/note"), { notes: ["1"] });
    const { environment } = await graphql<{
      environment: { volumeInstances: { edges: { node: { id: string; volumeId: string } }[] } };
    }>("query($id: String!) { environment(id: $id) { volumeInstances { edges { node { id volumeId } } } } }", {
      id: environmentId,
    });
    const { node: instance } = environment.volumeInstances.edges[0]!;
    assert.equal(instance.volumeId, volume.id);
    const finish = async (document: string, more: object): Promise<void> => {
      const [{ workflowId }] = Object.values(
        await graphql<Record<string, { workflowId: string }>>(document, { volume: instance.id, ...more }),
      ) as [{ workflowId: string }];
      await poll(
        async () => {
          const { workflowStatus } = await graphql<{ workflowStatus: { status: string; error: string | null } }>(
            "query($id: String!) { workflowStatus(workflowId: $id) { status error } }",
            {
              id: workflowId,
            },
          );
          assert.equal(workflowStatus.error, null);
          return workflowStatus.status === "Complete" ? true : undefined;
        },
        { timeoutMs: 15_000, failure: () => "the workflow isn't complete" },
      );
    };
    await finish(
      'mutation($volume: String!) { volumeInstanceBackupCreate(volumeInstanceId: $volume, name: "first") { workflowId } }',
      {},
    );
    await succeeds(await deploy("web", await commit("2")));
    assert.deepEqual(await visit("/note"), { notes: ["1", "2"] });
    const { volumeInstanceBackupList: backups } = await graphql<{
      volumeInstanceBackupList: { id: string; name: string }[];
    }>("query($id: String!) { volumeInstanceBackupList(volumeInstanceId: $id) { id name } }", { id: instance.id });
    assert.deepEqual(
      backups.map(({ name }) => name),
      ["first"],
    );
    await finish(
      "mutation($volume: String!, $backup: String!) { volumeInstanceBackupRestore(volumeInstanceId: $volume, volumeInstanceBackupId: $backup) { workflowId } }",
      { backup: backups[0]!.id },
    );
    await graphql("mutation($id: String!) { environmentPatchCommitStaged(environmentId: $id) }", { id: environmentId });
    await poll(
      async () => (JSON.stringify(await visit("/note").catch(() => ({}))) === '{"notes":["1","2"]}' ? true : undefined),
      {
        timeoutMs: 20_000,
        failure: async () => `the data isn't the backup's and one more note: ${JSON.stringify(await visit("/note"))}`,
      },
    );
  });

  it("starts a cron service's command when its time comes", async () => {
    const cronSchedule = "*/5 * * * *";
    await service("job", {
      source: { repo },
      rootDirectory: "service",
      cronSchedule,
      startCommand: "python3 main.py once",
      restartPolicyType: "NEVER",
    });
    await variables("job", { REDIS_HOST: "${{redis.RAILWAY_PRIVATE_DOMAIN}}" });
    const job = await succeeds(await deploy("job"));
    assert.deepEqual(await railway.runs(ids["job"]!), [], "not when it is deployed");
    await railway.runNow(ids["job"]!, environmentId);
    const run = await poll(async () => (await railway.runs(ids["job"]!)).find(({ endedAt }) => endedAt !== undefined), {
      timeoutMs: 15_000,
      failure: () => logs(job),
    });
    assert.equal(run.code, 0, await logs(job));
    assert.match(await logs(job), /ran once at version 2: :1/);
  });

  it("leaves the version before in its place when a new one fails", async () => {
    writeFileSync(join(folder, "source", "service", "VERSION"), "3\n");
    await update("web", { preDeployCommand: ["python3 main.py migrate"] });
    await variables("web", { MIGRATION: "3" });
    const failed = await deploy("web");
    assert.equal(await settled(failed), "FAILED");
    assert.match(await logs(failed), /pre-deploy command failed with exit code 3/);
    assert.equal((await visit())["version"], "2");
    await variables("web", { MIGRATION: "0" });
  });

  it("goes on after a crash of its own: containers run, and addresses stay", async () => {
    const url = await railway.url("web");
    await railway.restart();
    assert.equal(await railway.url("web"), url);
    assert.equal((await visit())["version"], "2");
    assert.deepEqual(await visit("/ping"), { redis: "+PONG" });
    await succeeds(await deploy("web"));
    assert.equal((await visit())["version"], "2");
  });

  it("sells a bucket that answers", async () => {
    const { bucketCreate: bucket } = await graphql<{ bucketCreate: { id: string } }>(
      "mutation($input: BucketCreateInput!) { bucketCreate(input: $input) { id } }",
      { input: { projectId, name: "archive" } },
    );
    const place = { projectId, environmentId, bucketId: bucket.id };
    const read = async (): Promise<{ endpoint: string; bucketName: string }[]> =>
      (
        await graphql<{ bucketS3Credentials: { endpoint: string; bucketName: string }[] }>(
          `
            query ($projectId: String!, $environmentId: String!, $bucketId: String!) {
              bucketS3Credentials(projectId: $projectId, environmentId: $environmentId, bucketId: $bucketId) {
                endpoint
                bucketName
                accessKeyId
                secretAccessKey
              }
            }
          `,
          place,
        )
      ).bucketS3Credentials;
    assert.deepEqual(await read(), [], "it is in no environment yet");
    const patch =
      "mutation($id: String!, $patch: EnvironmentConfig) { environmentPatchCommit(environmentId: $id, patch: $patch) }";
    await graphql(patch, {
      id: environmentId,
      patch: { buckets: { [bucket.id]: { region: "iad", isCreated: true } } },
    });
    const [credentials] = await read();
    const look = async (): Promise<number> =>
      (await fetch(`${credentials!.endpoint}/${credentials!.bucketName}`)).status;
    assert.notEqual(await look(), 404);
    await graphql(patch, { id: environmentId, patch: { buckets: { [bucket.id]: { isDeleted: true } } } });
    assert.equal(await look(), 404);
  });
});
