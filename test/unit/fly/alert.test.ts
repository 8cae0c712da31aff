import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tellEnd } from "../../../targets/fly/scheduler/alert";
import type { Own } from "../../../targets/fly/scheduler/own";

describe("the end of a run on Fly", () => {
  const got: { readonly url: string; readonly body: string }[] = [];
  const lines: string[] = [];
  let server: Server;
  const own = {
    schedule: { app: "shop", stack: "prod", id: "shop-prod" },
    log: (line: string) => void lines.push(line),
  } as unknown as Own;
  const at = new Date("2026-07-31T04:00:00Z");

  before(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        got.push({ url: request.url ?? "", body });
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env.PING_URL = `${base}/ping`;
    process.env.ALERT_WEBHOOK = `${base}/alert`;
  });
  after(() => {
    delete process.env.PING_URL;
    delete process.env.ALERT_WEBHOOK;
    server.close();
  });
  beforeEach(() => {
    got.length = lines.length = 0;
  });

  it("is told to whom awaits good ones, and to nobody else", async () => {
    await tellEnd(own, "backup.db", at, { code: 0, reason: "exit", log: [] });
    assert.deepEqual(got, [{ url: "/ping/shop-prod-backup.db", body: "" }]);
    assert.deepEqual(lines, ["backup.db: succeeded"]);
  });

  it("alerts where it failed, with what it said last", async () => {
    await tellEnd(own, "backup.db", at, { code: 1, reason: "exit", log: ["pg_dump failed"] });
    await tellEnd(own, "ingest", at, { code: undefined, reason: "timeout", log: [] });
    assert.deepEqual(
      got.map(({ url, body }) => {
        const { unit, state, result, time, log } = JSON.parse(body) as Record<string, unknown>;
        return [url, unit, state, result, time, log];
      }),
      [
        ["/alert", "backup.db", "failed", "exit-code 1", "2026-07-31T04:00:00.000Z", ["pg_dump failed"]],
        ["/alert", "ingest", "failed", "timeout", "2026-07-31T04:00:00.000Z", []],
      ],
    );
  });
});
