import assert from "node:assert/strict";
import { type Bench, openBench } from "./flySupport";

/** The fields that flyctl 0.4 asks for in `apps list`, `status`, `volumes list`, `secrets list`, `ips list` and `releases`. */
const flyctl = {
  apps: `query($org: ID, $after: String) { apps(type: "container", first: 200, after: $after, organizationId: $org) {
    pageInfo { hasNextPage endCursor }
    nodes { id name deployed hostname platformVersion network organization { slug name } currentRelease { createdAt status } status } } }`,
  app: `query($appName: String!) { appcompact: app(name: $appName) { id internalNumericId name hostname cnameTarget deployed network
    status appUrl platformVersion organization { id internalNumericId slug paidPlan } postgresAppRole: role { name } } }`,
  basic: `query($appName: String!) { appbasic: app(name: $appName) { id name platformVersion
    organization { id internalNumericId slug rawSlug paidPlan } } }`,
  ips: `query($appName: String!) { app(name: $appName) { sharedIpAddress
    ipAddresses { nodes { id address type region createdAt network { name organization { slug } } serviceName } } } }`,
  egress: `query($appName: String!) { app(name: $appName) { egressIpAddresses { nodes { id ip version region updatedAt } } } }`,
  release: `query($appName: String!) { app(name: $appName) { currentRelease: currentReleaseUnprocessed { version } } }`,
  releases: `query($appName: String!, $limit: Int!) { app(name: $appName) { releases: releasesUnprocessed(first: $limit) { nodes {
    id version description reason status imageRef stable user { id email name } createdAt } } } }`,
  user: `query { viewer { ... on User { id email enablePaidHobby } ... on Macaroon { email } } }`,
};

describe("the emulator of Fly.io's GraphQL", () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    await bench.app("web");
  });
  after(() => bench.close());

  const data = async (query: string, variables: unknown = { appName: "web" }): Promise<Record<string, unknown>> => {
    const answer = await bench.graphql(query, variables);
    assert.equal(answer["errors"], undefined, JSON.stringify(answer["errors"]));
    return answer["data"] as Record<string, unknown>;
  };
  const message = async (query: string, variables?: unknown): Promise<string> => {
    const answer = await bench.graphql(query, variables);
    return (answer["errors"] as { message: string }[])[0]?.message ?? "";
  };

  it("answers all that flyctl asks for its lists", async () => {
    await bench.machine("web");
    for (const type of ["v6", "shared_v4"]) await bench.call("POST", "/apps/web/ip_assignments", { type });
    const apps = (await data(flyctl.apps, {}))["apps"] as { nodes: Record<string, unknown>[] };
    assert.deepEqual(
      apps.nodes.map(({ name, status }) => [name, status]),
      [["web", "deployed"]],
    );
    const { appcompact } = (await data(flyctl.app)) as { appcompact: Record<string, unknown> };
    assert.equal(appcompact["platformVersion"], "machines");
    assert.deepEqual(Object.keys((await data(flyctl.basic))["appbasic"] as object), [
      "id",
      "name",
      "platformVersion",
      "organization",
    ]);
    const ips = (await data(flyctl.ips))["app"] as { sharedIpAddress: string; ipAddresses: { nodes: unknown[] } };
    assert.equal(ips.ipAddresses.nodes.length, 1);
    assert.equal(ips.sharedIpAddress, "192.0.2.1");
    assert.deepEqual(await data(flyctl.egress), { app: { egressIpAddresses: { nodes: [] } } });
    assert.deepEqual(await data(flyctl.release), { app: { currentRelease: null } });
    const releases = await data(flyctl.releases, { appName: "web", limit: 25 });
    assert.deepEqual(releases, { app: { releases: { nodes: [] } } });
    assert.equal(((await data(flyctl.user))["viewer"] as { email: string }).email, "rehearsal@example.com");
  });

  it("refuses what the schema doesn't have, before anything is done", async () => {
    assert.match(await message('query { app(name: "web") { colour } }'), /Cannot query field "colour"/);
    assert.match(await message("query { app("), /Syntax Error/);
    const addOn = "mutation($input: CreateAddOnInput!) { createAddOn(input: $input) { addOn { id } } }";
    assert.match(await message(addOn, { input: { type: "tigris", size: 1 } }), /"size" is not defined/);
    assert.match(await message(addOn, { input: { type: "bucket" } }), /does not exist in "AddOnType"/);
    assert.match(await message('query { app(name: "nobody") { id } }'), /app not found/);
  });

  it("makes a bucket once its terms are agreed to, and shows its key once", async () => {
    const { organization } = await data(`query { organization(slug: "personal") { id } }`);
    const input = { organizationId: (organization as { id: string }).id, appId: "web", type: "tigris", name: "photos" };
    const make = `mutation($input: CreateAddOnInput!) { createAddOn(input: $input) { addOn { name environment } } }`;
    assert.match(await message(make, { input }), /terms of service/);
    await data(
      `mutation($input: CreateExtensionTosAgreementInput!) { createExtensionTosAgreement(input: $input) { clientMutationId } }`,
      { input: { addOnProviderName: "tigris" } },
    );
    const made = (await data(make, { input }))["createAddOn"] as { addOn: { environment: Record<string, string> } };
    assert.equal(made.addOn.environment["BUCKET_NAME"], "photos");
    assert.match(await message(make, { input }), /already been taken/);
    const read = (await data(`query { addOn(name: "photos", provider: "tigris") { environment status } }`))["addOn"];
    assert.deepEqual(read, { environment: {}, status: "ready" });
    await data(`mutation($input: DeleteAddOnInput!) { deleteAddOn(input: $input) { deletedAddOnName } }`, {
      input: { name: "photos", provider: "tigris" },
    });
    assert.match(await message(`query { addOn(name: "photos") { id } }`), /Could not find/);
  });

  it("keeps releases and logs as flyctl reads them", async () => {
    const ask = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
      const answer = await fetch(`${bench.fly.endpoint}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${bench.fly.token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await answer.json()) as Record<string, unknown>;
    };
    assert.equal((await ask("GET", "/apps/web/releases/current"))["error"], "no release");
    const wanted = { app_name: "web", image: "a:1", strategy: "ROLLING", definition: {}, build_id: 0 };
    const { release } = (await ask("POST", "/releases", wanted)) as { release: { id: string; version: number } };
    await ask("PATCH", `/releases/${release.id}`, { status: "complete", metadata: null });
    const current = await ask("GET", "/apps/web/releases/current");
    assert.deepEqual([current["version"], current["status"]], [1, "complete"]);
    const id = await bench.machine("web");
    bench.fly.world.logs.add(bench.fly.world.state.machines[id]!, "a line");
    const logs = (await ask("GET", `/apps/web/logs?instance=${id}`)) as {
      data: { attributes: { message: string } }[];
      meta: { next_token: string };
    };
    assert.equal(logs.data.at(-1)?.attributes.message, "a line");
    const later = await ask("GET", `/apps/web/logs?next_token=${logs.meta.next_token}`);
    assert.deepEqual(later["data"], []);
  });
});
