import assert from "node:assert/strict";
import { lookUp } from "../../../rehearsal/railway/names";
import { Bench, until } from "./railwaySupport";

interface Mounted {
  readonly id: string;
  readonly volumeId: string;
  readonly serviceId: string | null;
  readonly mountPath: string;
  readonly sizeMB: number;
  readonly isPendingDeletion: boolean;
}

describe("the emulator of Railway: volumes, buckets and names", () => {
  let bench: Bench;
  let web: string;
  beforeEach(async () => {
    bench = await Bench.open();
    web = await bench.service("web");
  });
  afterEach(() => bench.close());

  const create = "mutation($input: VolumeCreateInput!) { volumeCreate(input: $input) { id } }";
  const volume = async (more: object = {}): Promise<string> => {
    const { projectId, environmentId } = bench;
    const input = { projectId, environmentId, serviceId: web, mountPath: "/data", ...more };
    return (await bench.must<{ volumeCreate: { id: string } }>(create, { input })).volumeCreate.id;
  };
  const volumes = async (): Promise<Mounted[]> => {
    const { environment } = await bench.must<{ environment: { volumeInstances: { edges: { node: Mounted }[] } } }>(
      "query($id: String!) { environment(id: $id) { volumeInstances { edges { node { id volumeId serviceId mountPath sizeMB isPendingDeletion } } } } }",
      { id: bench.environmentId },
    );
    return environment.volumeInstances.edges.map(({ node }) => node);
  };
  /** Begins a workflow on a volume and waits for its end. @returns the states that were seen */
  const workflow = async (
    instance: string,
    field: string,
    more: Record<string, readonly [string, unknown]> = {},
  ): Promise<string[]> => {
    const args = { volumeInstanceId: ["String!", instance] as const, ...more };
    const declared = Object.entries(args).map(([name, [type]]) => `$${name}: ${type}`);
    const passed = Object.keys(args).map((name) => `${name}: $${name}`);
    const query = `mutation(${declared.join(", ")}) { ${field}(${passed.join(", ")}) { workflowId } }`;
    const variables = Object.fromEntries(Object.entries(args).map(([name, [, value]]) => [name, value]));
    const { workflowId } = (await bench.must<Record<string, { workflowId: string }>>(query, variables))[field]!;
    const seen: string[] = [];
    await until("the workflow's end", async () => {
      const status = "query($id: String!) { workflowStatus(workflowId: $id) { status } }";
      const { workflowStatus } = await bench.must<{ workflowStatus: { status: string } }>(status, { id: workflowId });
      if (seen.at(-1) !== workflowStatus.status) seen.push(workflowStatus.status);
      return ["Complete", "Error"].includes(workflowStatus.status);
    });
    return seen;
  };
  const commit =
    "mutation($e: String!, $p: EnvironmentConfig) { environmentPatchCommit(environmentId: $e, patch: $p) }";
  const refusesPatch = (patch: object): Promise<string> => bench.refused(commit, { e: bench.environmentId, p: patch });

  it("makes a volume in the environment that it is told, and in none where it isn't", async () => {
    await volume({ environmentId: undefined, serviceId: undefined });
    assert.deepEqual(await volumes(), []);
    const own = await volume();
    const [found] = await volumes();
    assert.deepEqual([found!.volumeId, found!.serviceId, found!.mountPath, found!.sizeMB], [own, web, "/data", 50_000]);
  });

  it("gives a service one volume, never with replicas, and not many at once", async () => {
    await volume();
    const { projectId, environmentId } = bench;
    const input = { projectId, environmentId, serviceId: web, mountPath: "/more" };
    assert.match(await bench.refused(create, { input }), /only have one volume/);
    assert.match(
      await refusesPatch({ services: { [web]: { deploy: { numReplicas: 2 } } } }),
      /volume cannot have multiple replicas/,
    );
    const many = await bench.service("many");
    await bench.set(many, { numReplicas: 2 });
    assert.match(
      await bench.refused(create, { input: { ...input, serviceId: many } }),
      /multiple replicas cannot have a volume/,
    );
    await bench.close();
    bench = await Bench.open({ timings: { volumeGap: 60_000 } });
    const alone = { projectId: bench.projectId, environmentId: bench.environmentId, mountPath: "/data" };
    await bench.must(create, { input: alone });
    assert.match(await bench.refused(create, { input: alone }), /creating volumes too quickly/);
  });

  it("loses a service's volume where the service isn't named again", async () => {
    const id = await volume();
    const change = (input: object): Promise<boolean> =>
      bench.change("volumeInstanceUpdate", {
        volumeId: ["String!", id],
        environmentId: ["String", bench.environmentId],
        input: ["VolumeInstanceUpdateInput!", input],
      });
    await change({ mountPath: "/elsewhere" });
    assert.deepEqual(
      (await volumes()).map(({ serviceId, mountPath }) => [serviceId, mountPath]),
      [[null, "/elsewhere"]],
    );
    await change({ serviceId: web });
    assert.equal((await volumes())[0]!.serviceId, web);
  });

  it("makes a volume larger and never smaller", async () => {
    const id = await volume();
    await bench.commitPatch({ volumes: { [id]: { sizeMB: 60_000 } } });
    assert.equal((await volumes())[0]!.sizeMB, 60_000);
    assert.match(await refusesPatch({ volumes: { [id]: { sizeMB: 50_000 } } }), /cannot be decreased/);
    await bench.change("volumeDelete", { volumeId: ["String!", id] });
    assert.deepEqual(
      (await volumes()).map(({ serviceId, isPendingDeletion }) => [serviceId, isPendingDeletion]),
      // It is kept for 48 hours, on the list.
      [[null, true]],
    );
    assert.deepEqual(bench.runtime.removedVolumes, [], "its data can be had back for 48 hours");
  });

  it("lets a new workflow be unknown for a moment", async () => {
    await bench.close();
    // Long enough that a busy machine sees each stage.
    bench = await Bench.open({ timings: { workflowVisible: 1_000, workflow: 2_000 } });
    web = await bench.service("web");
    await volume();
    const [instance] = await volumes();
    assert.deepEqual(await workflow(instance!.id, "volumeInstanceBackupCreate"), ["NotFound", "Running", "Complete"]);
  });

  it("backs a volume up, and stages what takes a backup's data into use", async () => {
    const id = await volume();
    const [instance] = await volumes();
    const run = (field: string, more?: Record<string, readonly [string, unknown]>): Promise<string[]> =>
      workflow(instance!.id, field, more);
    const backups = async (): Promise<{ id: string; name: string }[]> =>
      (
        await bench.must<{ volumeInstanceBackupList: { id: string; name: string }[] }>(
          "query($id: String!) { volumeInstanceBackupList(volumeInstanceId: $id) { id name } }",
          { id: instance!.id },
        )
      ).volumeInstanceBackupList;
    assert.equal((await run("volumeInstanceBackupCreate", { name: ["String", "one"] })).at(-1), "Complete");
    const [backup] = await backups();
    await run("volumeInstanceBackupRestore", { volumeInstanceBackupId: ["String!", backup!.id] });
    assert.equal((await volumes()).find(({ serviceId }) => serviceId === web)!.volumeId, id, "nothing is changed yet");
    await bench.change<string>("environmentPatchCommitStaged", { environmentId: ["String!", bench.environmentId] });
    const now = (await volumes()).find(({ serviceId }) => serviceId === web)!;
    assert.notEqual(now.volumeId, id);
    assert.equal(now.mountPath, "/data");
    await run("volumeInstanceBackupDelete", { volumeInstanceBackupId: ["String!", backup!.id] });
    assert.deepEqual(await backups(), []);
    await bench.control("POST", "faults", { kind: "backupFailure" });
    assert.equal((await run("volumeInstanceBackupCreate")).at(-1), "Error");
    await bench.change("volumeInstanceBackupScheduleUpdate", {
      volumeInstanceId: ["String!", instance!.id],
      kinds: ["[VolumeInstanceBackupScheduleKind!]!", ["DAILY", "WEEKLY"]],
    });
    const listed = await bench.must<{ volumeInstanceBackupScheduleList: { kind: string; retentionSeconds: number }[] }>(
      "query($id: String!) { volumeInstanceBackupScheduleList(volumeInstanceId: $id) { kind retentionSeconds } }",
      { id: instance!.id },
    );
    assert.deepEqual(
      listed.volumeInstanceBackupScheduleList.map(({ kind, retentionSeconds }) => [kind, retentionSeconds / 86_400]),
      [
        ["DAILY", 6],
        ["WEEKLY", 30],
      ],
    );
  });

  it("has a bucket once it is in an environment, in a region that stays", async () => {
    const { bucketCreate: bucket } = await bench.must<{ bucketCreate: { id: string } }>(
      "mutation($input: BucketCreateInput!) { bucketCreate(input: $input) { id } }",
      { input: { projectId: bench.projectId, name: "archive", environmentId: bench.environmentId } },
    );
    const credentials = async (): Promise<Record<string, string>[]> =>
      (
        await bench.must<{ bucketS3Credentials: Record<string, string>[] }>(
          "query($p: String!, $e: String!, $b: String!) { bucketS3Credentials(projectId: $p, environmentId: $e, bucketId: $b) { bucketName secretAccessKey } }",
          { p: bench.projectId, e: bench.environmentId, b: bucket.id },
        )
      ).bucketS3Credentials;
    assert.deepEqual(await credentials(), []);
    await bench.commitPatch({ buckets: { [bucket.id]: { region: "iad", isCreated: true } } });
    const [made] = await credentials();
    assert.match(made!["bucketName"]!, /^archive-/);
    assert.match(await refusesPatch({ buckets: { [bucket.id]: { region: "ams" } } }), /region can't be changed/);
    await bench.commitPatch({ buckets: { [bucket.id]: { isDeleted: true } } });
    assert.deepEqual(await credentials(), []);
  });

  it("gives one domain more each time, and says what a custom one's DNS is to hold", async () => {
    const place = { serviceId: web, environmentId: bench.environmentId };
    const make = async (): Promise<string> =>
      (
        await bench.must<{ serviceDomainCreate: { domain: string } }>(
          "mutation($input: ServiceDomainCreateInput!) { serviceDomainCreate(input: $input) { domain } }",
          { input: place },
        )
      ).serviceDomainCreate.domain;
    assert.equal(await make(), "web-production.up.railway.app");
    assert.match(await make(), /^web-production-[0-9a-f]{4}\.up\.railway\.app$/);
    const custom = "mutation($input: CustomDomainCreateInput!) { customDomainCreate(input: $input) { id } }";
    const input = { ...place, projectId: bench.projectId, domain: "app.example.com" };
    const { customDomainCreate: made } = await bench.must<{ customDomainCreate: { id: string } }>(custom, { input });
    assert.match(await bench.refused(custom, { input }), /not available/);
    for (const [name, why] of [
      ["app.example.com", /not available/],
      ["nonsense", /Invalid domain/],
    ] as const) {
      const other = await bench.service("other");
      const patch = { deploy: { startCommand: "x" }, networking: { customDomains: { [name]: {} } } };
      assert.match(await refusesPatch({ services: { [web]: { deploy: { startCommand: "x" } }, [other]: patch } }), why);
    }
    assert.equal(bench.railway.world.state.instances[`${web}:${bench.environmentId}`]!.config.deploy, undefined);
    interface Read {
      readonly customDomain: {
        readonly status: {
          readonly verified: boolean;
          readonly certificateStatus: string;
          readonly verificationDnsHost: string;
          readonly verificationToken: string;
          readonly dnsRecords: readonly Record<string, string>[];
        };
      };
    }
    const read = async (): Promise<Read["customDomain"]["status"]> =>
      (
        await bench.must<Read>(
          "query($id: String!, $p: String!) { customDomain(id: $id, projectId: $p) { status { verified certificateStatus verificationDnsHost verificationToken dnsRecords { fqdn hostlabel recordType requiredValue status } } } }",
          { id: made.id, p: bench.projectId },
        )
      ).customDomain.status;
    const first = await read();
    assert.equal(first.certificateStatus, "CERTIFICATE_STATUS_TYPE_VALIDATING_OWNERSHIP");
    assert.match(first.verificationToken, /^railway-verify=/);
    assert.equal(first.verificationDnsHost, "_railway-verify.app");
    const [record] = first.dnsRecords;
    assert.deepEqual(
      [record!["fqdn"], record!["hostlabel"], record!["recordType"]],
      ["app.example.com", "app", "DNS_RECORD_TYPE_CNAME"],
    );
    await until("the certificate", async () => (await read()).certificateStatus === "CERTIFICATE_STATUS_TYPE_VALID");
    const { domains } = await bench.must<{ domains: { serviceDomains: unknown[]; customDomains: unknown[] } }>(
      "query($p: String!, $e: String!, $s: String!) { domains(projectId: $p, environmentId: $e, serviceId: $s) { serviceDomains { id } customDomains { id } } }",
      { p: bench.projectId, e: bench.environmentId, s: web },
    );
    assert.deepEqual([domains.serviceDomains.length, domains.customDomains.length], [2, 1]);
  });

  it("lets one port be reached from outside by a TCP proxy", async () => {
    await bench.commitPatch({ services: { [web]: { networking: { tcpProxies: { "5432": {} } } } } });
    const { tcpProxies } = await bench.must<{
      tcpProxies: { applicationPort: number; domain: string; proxyPort: number }[];
    }>(
      "query($e: String!, $s: String!) { tcpProxies(environmentId: $e, serviceId: $s) { applicationPort domain proxyPort } }",
      { e: bench.environmentId, s: web },
    );
    assert.deepEqual(
      [tcpProxies.length, tcpProxies[0]!.applicationPort, tcpProxies[0]!.domain],
      [1, 5432, "127.0.0.1"],
    );
    await bench.commitPatch({ services: { [web]: { networking: { tcpProxies: { "5432": {} } } } } });
    assert.match(
      await refusesPatch({
        services: { [web]: { deploy: { startCommand: "x" }, networking: { tcpProxies: { "6379": {} } } } },
      }),
      /Only one TCP proxy/,
    );
    const settings = (): unknown => bench.railway.world.state.instances[`${web}:${bench.environmentId}`]!.config.deploy;
    assert.equal(settings(), undefined, "nothing is done by halves");
    await bench.commitPatch({ services: { [web]: { networking: { tcpProxies: { "5432": null } } } } });
    assert.deepEqual(bench.railway.world.state.tcpProxies, {});
  });

  it("knows a service by its private name in its own environment alone", async () => {
    await bench.set(web, { source: { image: "web:1" }, multiRegionConfig: { "us-west2": { numReplicas: 2 } } });
    await bench.reach(await bench.deploy(web), "SUCCESS");
    const { world } = bench.railway;
    const ask = (name: string): string[] | undefined => lookUp(world, name);
    assert.equal(ask(`web.railway.internal.${bench.environmentId}.rehearsal`)?.length, 2);
    assert.deepEqual(ask(`nobody.railway.internal.${bench.environmentId}.rehearsal`), []);
    assert.deepEqual(ask("web.railway.internal"), []);
    assert.deepEqual(ask(`web.railway.internal.11111111-1111-1111-1111-111111111111.rehearsal`), []);
    assert.equal(ask("example.com"), undefined, "that is somebody else's");
  });
});
