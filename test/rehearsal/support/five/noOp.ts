import assert from "node:assert/strict";
import { requestsTo } from "../buckets";
import { mainPids } from "../hostFacts";
import { ids, type Five } from "./five";

/** How often somebody has logged in to the host by SSH since it was booted. */
const logins = async (five: Five): Promise<number> =>
  [...(await five.world.host.sshLog()).matchAll(/^Accepted publickey/gm)].length;

/** What an `up` without a change must leave alone. */
export function noOpTests(five: Five): void {
  it("changes nothing on a second `up`, opens no SSH session and asks the store for nothing", async () => {
    const { world } = five;
    const before = { logins: await logins(five), requests: requestsTo(world.site).length };
    assert.ok(before.logins >= 5 && before.requests >= 10, JSON.stringify(before));
    const { counts, seconds } = await world.mustUp();
    assert.deepEqual(counts, { unchanged: five.first.counts["created"] }, `after ${seconds} s`);
    assert.deepEqual({ logins: await logins(five), requests: requestsTo(world.site).length }, before);
  });

  it("changes nothing on an `up` after a `refresh`, and no process is another one", async () => {
    const { world } = five;
    const pids = async () => Promise.all(ids.map((id) => mainPids(world.host, id)));
    const before = await pids();
    const refreshed = await world.stack.pulumi(["refresh", "--yes", "--skip-preview"]);
    assert.equal(refreshed.code, 0, refreshed.stdout + refreshed.stderr);
    assert.deepEqual((await world.mustUp()).counts, { unchanged: five.first.counts["created"] });
    assert.deepEqual(await pids(), before);
  });
}
