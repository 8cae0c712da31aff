import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { apps } from "../../../apps";
import { eventually, jsonOf, statusOf } from "./http";
import type { MoveWorld } from "./moveWorld";
import type { AppName } from "./world";

/** Targets where `homeport run` needs nothing but what the stack has: elsewhere it takes an SSH key of a person's. */
const runsHere = ["ec2", "vps", "fly"];

async function run(world: MoveWorld, app: AppName, what: string): Promise<void> {
  const ran = await world.homeport("run", app, what);
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
}

/** What each app does with its data, seen through its address. */
const uses: Readonly<Record<AppName, (world: MoveWorld, url: string, target: string) => Promise<void>>> = {
  clausea: async (world, url, target) => {
    const headers = { "x-api-key": world.secretOf("clausea:API_KEY"), connection: "close" };
    const crawls = async (): Promise<number> => {
      const answer = await fetch(`${url}/crawls`, { headers });
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      return (JSON.parse(text) as { count: number }).count;
    };
    const before = await crawls();
    if (target === "railway") return;
    await run(world, "clausea", "crawl");
    assert.equal(await crawls(), before + 1);
  },
  hotrod: async (world, url) => {
    const body = JSON.stringify({ id: 1, note: "a test's order" });
    const signature = createHmac("sha256", world.secretOf("hotrod:SHOPIFY_WEBHOOK_SECRET"))
      .update(body)
      .digest("base64");
    const answer = await fetch(`${url}/webhooks/orders`, {
      method: "POST",
      body,
      headers: { "x-shopify-hmac-sha256": signature, "x-shopify-webhook-id": randomUUID(), connection: "close" },
    });
    assert.equal(answer.status, 202, await answer.text());
    await eventually("the worker has written the job into Postgres", 30, async () => {
      const { processed } = await jsonOf<{ processed: number }>(`${url}/webhooks/jobs`);
      return processed >= 1;
    });
  },
  tileshop: async (world, url, target) => {
    const products = async (): Promise<number> => (await jsonOf<{ count: number }>(`${url}/products`)).count;
    assert.equal(await products(), 0);
    if (!runsHere.includes(target)) return;
    await run(world, "tileshop", "scrape");
    assert.equal(await products(), 25);
  },
  catscan: async (world, url, target) => {
    const imports = async (): Promise<number> => (await jsonOf<unknown[]>(`${url}/uploads/history`)).length;
    assert.equal(await imports(), 0);
    if (!runsHere.includes(target)) return;
    await run(world, "catscan", "gmail-import");
    assert.ok((await imports()) > 0);
  },
  shopifly: () => Promise.resolve(),
};

/** An app at its new place: all of its services answer, its jobs have their next runs, its data can be used. */
export async function isThere(world: MoveWorld, app: AppName): Promise<void> {
  const told = (await world.outputs())[app];
  assert.ok(told !== undefined, `the stack tells nothing of ${app}`);
  const urls = Object.values(told.health);
  assert.ok(urls.length > 0, `${app} has no address`);
  for (const url of urls) assert.equal(await statusOf(await world.reach(url, told)), 200, `${app} on ${told.target}`);
  const { services, schedules, failed } = await world.status(app);
  assert.deepEqual(failed, [], app);
  for (const { name, health } of services) assert.notEqual(health, "unhealthy", `${app}.${name}`);
  const declared = apps.find(({ name }) => name === app)!.declare("live");
  for (const { name } of declared.jobs) {
    const next = schedules.find((one) => one.name === name)?.next;
    assert.ok(
      next !== undefined && Date.parse(next) > Date.now(),
      `${app}'s ${name} on ${told.target}: ${next ?? "none"}`,
    );
  }
  const [url = ""] = urls;
  const { origin } = new URL(await world.reach(url, told));
  await uses[app](world, origin, told.target);
}
