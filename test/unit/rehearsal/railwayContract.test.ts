import assert from "node:assert/strict";
import fc from "fast-check";
import { rootsOf, schema } from "../../../rehearsal/railway/graphql";
import { words } from "../../../rehearsal/railway/words";
import { Bench } from "./railwaySupport";

describe("the emulator of Railway and its contract", () => {
  let bench: Bench;
  before(async () => {
    bench = await Bench.open();
  });
  after(() => bench.close());

  it("answers every field of its schema, and no other", () => {
    const { world } = bench.railway;
    const answered = Object.keys(rootsOf(world, world.state.tokens[0]!)).sort();
    const declared = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
      Object.keys(type!.getFields()),
    );
    assert.deepEqual(answered, declared.sort());
  });

  it("refuses what the schema doesn't have, and values of other types, before anything is done", async () => {
    const make = "mutation($input: ServiceCreateInput!) { serviceCreate(input: $input) { id } }";
    assert.match(await bench.refused("{ me { id nickname } }"), /Cannot query field "nickname" on type "User"/);
    assert.match(await bench.refused("mutation { serviceCreate { id } }"), /argument "input".*required/);
    const { projectId } = bench;
    assert.match(
      await bench.refused(make, { input: { projectId, rootDirectory: "a" } }),
      /"rootDirectory" is not defined/,
    );
    assert.match(await bench.refused(make, { input: { projectId: 7 } }), /String cannot represent a non string value/);
    assert.match(await bench.refused(make, { input: {} }), /"projectId" of required type/);
    // What Railway's own documentation says, and its schema doesn't have.
    assert.match(
      await bench.refused('mutation { deploymentRollback(id: "x") { id } }'),
      /must not have a selection since type "Boolean!"/,
    );
    assert.deepEqual(bench.railway.world.state.services, {});
  });

  it("refuses settings of an environment that there aren't, and values that don't fit", async () => {
    const service = await bench.service("web");
    const commit = (patch: object): Promise<string> =>
      bench.refused(
        "mutation($e: String!, $p: EnvironmentConfig) { environmentPatchCommit(environmentId: $e, patch: $p) }",
        {
          e: bench.environmentId,
          p: patch,
        },
      );
    assert.match(
      await commit({ services: { [service]: { deploy: { startComand: "a" } } } }),
      /deploy.startComand is unknown/,
    );
    assert.match(
      await commit({ services: { [service]: { deploy: { numReplicas: "2" } } } }),
      /numReplicas is to be integer/,
    );
    assert.match(await commit({ services: { other: {} } }), /Service other not found/);
    assert.match(await commit({ service: {} }), /service is unknown/);
    assert.match(
      await bench.refused("mutation($i: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $i) }", {
        i: {
          projectId: bench.projectId,
          environmentId: bench.environmentId,
          serviceId: service,
          variables: { PORT: 80 },
        },
      }),
      /value of variable PORT must be a string/,
    );
  });

  it("lists page by page", async () => {
    const names = ["one", "two", "three"];
    for (const name of names) await bench.service(name);
    interface Page {
      readonly project: {
        readonly services: {
          readonly edges: readonly { readonly node: { readonly name: string } }[];
          readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
        };
      };
    }
    const read = (after: string | undefined): Promise<Page> =>
      bench.must<Page>(
        "query($id: String!, $after: String) { project(id: $id) { services(first: 2, after: $after) { edges { node { name } } pageInfo { hasNextPage endCursor } } } }",
        { id: bench.projectId, after },
      );
    const seen: string[] = [];
    let after: string | undefined;
    for (;;) {
      const { edges, pageInfo } = (await read(after)).project.services;
      seen.push(...edges.map(({ node }) => node.name));
      assert.ok(edges.length <= 2);
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    assert.deepEqual(seen, ["web", ...names]);
  });

  it("takes start commands apart as a shell's words, without expanding anything", () => {
    assert.deepEqual(words(`sh -c 'exec python3 "a b" $PORT'  "it's" a\\ b ""`), [
      ...["sh", "-c", 'exec python3 "a b" $PORT', "it's", "a b", ""],
    ]);
    const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string()), (given) => {
        assert.deepEqual(words(given.map(quoted).join(" ")), given);
      }),
    );
  });
});
