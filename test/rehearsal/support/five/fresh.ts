import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { Cron } from "../../../../components";
import { databaseName } from "../../../../components/values/names";
import { bucketFacts, bucketNames, clientOf, keysIn } from "../buckets";
import { connects, exposures, listeningPorts, mainPids, nextRuns } from "../hostFacts";
import { eventually, jsonOf, statusOf } from "../http";
import { ids, schedules, services, unhealthy, type Five } from "./five";

/** What a first `up` has to have made. */
export function freshTests(five: Five): void {
  it("made it all in one go", () => {
    assert.equal(five.first.code, 0, five.first.output);
    assert.deepEqual(Object.keys(five.first.counts), ["created"]);
  });

  it("answers the health check of every service, asked from this machine", async () => {
    assert.deepEqual(await unhealthy(five.world, statusOf), []);
  });

  it("tells these addresses as the stack's outputs", async () => {
    const outputs = await five.world.stack.outputs<Record<string, { health: Record<string, string> }>>();
    const told = Object.entries(outputs).flatMap(([app, { health }]) =>
      Object.entries(health).map(([service, url]) => `${app} ${service} ${url}`),
    );
    const wanted = services.map((one) => `${one.app} ${one.service} ${five.world.url(one.port, one.health)}`);
    assert.deepEqual(told.sort(), wanted.sort());
  });

  it("has the runbooks' timers, their next runs those of the cron expressions", async () => {
    const before = new Date();
    const runs = await nextRuns(five.world.host, "prod");
    const after = new Date();
    for (const [unit, expression] of Object.entries(schedules)) {
      const possible = [before, after].map((now) => new Cron(expression).next(now)[0]?.getTime());
      assert.ok(possible.includes(runs.get(unit)), `${unit}: ${runs.get(unit) ?? "no timer"}, not ${possible.join()}`);
    }
    const others = [...runs.keys()].filter((unit) => schedules[unit] === undefined);
    assert.deepEqual(others.sort(), ids.map((id) => `${id}-watch`).sort());
  });

  it("keeps every process of an app in: systemd's exposure of its units is 3.0 at most", async () => {
    const units = (await Promise.all(ids.map((id) => mainPids(five.world.host, id)))).flatMap((pids) => [
      ...pids.keys(),
    ]);
    const jobs = Object.keys(schedules).filter((unit) => unit.includes("-job-"));
    // A container's unit only starts the engine, which keeps the container in by its own means.
    const checked = [...units.filter((unit) => !unit.includes("crawl4ai")), ...jobs.map((unit) => `${unit}.service`)];
    assert.ok(checked.length >= services.length + jobs.length, checked.join(" "));
    const levels = await exposures(five.world.host, checked);
    assert.deepEqual([...levels.keys()].sort(), checked.sort());
    assert.deepEqual(
      [...levels].filter(([, level]) => level > 3.0),
      [],
    );
  });

  it("opens to this machine the declared ports and SSH, and nothing else that listens on the host", async () => {
    const { host } = five.world;
    const declared = [22, ...services.map((one) => one.port)];
    const listening = await listeningPorts(host);
    assert.ok(listening.length > declared.length + 5, listening.join(" "));
    const tried = [...new Set([...listening, 80, 443, 5432, 6379, 11235])];
    const answers = await Promise.all(tried.map((port) => statusOf(`http://${host.address}:${port}/`, 2_000)));
    // Whatever isn't refused or dropped is open: SSH gives an answer, too, though none of HTTP's.
    const open = tried.filter((_, index) => !/none: (connect|The operation was aborted)/.test(String(answers[index])));
    assert.deepEqual(open.sort(), declared.sort(), `listening: ${listening.join(" ")}`);
  });

  it("lets nobody but the allowed address reach the dashboards and SSH, others the public services", async () => {
    const { host, site } = five.world;
    const stranger = await site.host("stranger");
    try {
      const ports = [22, ...services.map((one) => one.port)];
      const reached = await Promise.all(ports.map((port) => connects(stranger, host.address, port)));
      const open = ports.filter((_, index) => reached[index]);
      assert.deepEqual(open.sort(), [8000, 8010, 8080, 8090]);
    } finally {
      await stranger.stop();
    }
  });

  it("gives tileshop's database the vector extension", async () => {
    const database = databaseName("tileshop", "prod", "db");
    const query = `runuser -u postgres -- psql -At -d ${database} -c "SELECT count(*) FROM pg_extension WHERE extname = 'vector'"`;
    assert.equal(await five.world.on(query), "1");
  });

  it("passes a signed webhook of hotrod through Redis to the worker and into Postgres", async () => {
    const { world } = five;
    const secret = world.values["hotrod:SHOPIFY_WEBHOOK_SECRET"];
    assert.ok(typeof secret === "object" && "secret" in secret);
    const body = JSON.stringify({ id: 1, note: "a test's order" });
    const id = randomUUID();
    const answer = await fetch(world.url(8090, "/webhooks/orders"), {
      method: "POST",
      body,
      headers: {
        "x-shopify-hmac-sha256": createHmac("sha256", secret.secret).update(body).digest("base64"),
        "x-shopify-webhook-id": id,
        connection: "close",
      },
    });
    assert.equal(answer.status, 202, await answer.text());
    await eventually("the job is processed", 10, async () => {
      const { processed } = await jsonOf<{ processed: number }>(world.url(8090, "/webhooks/jobs"));
      return processed === 1;
    });
    const database = databaseName("hotrod", "prod", "db");
    const query = `runuser -u postgres -- psql -At -d ${database} -c "SELECT id, processed_by FROM webhook_jobs"`;
    assert.equal(await world.on(query), `${id}|worker`);
  });

  it("runs catscan's import: reports go to the bucket first, then into SQLite", async () => {
    const { world } = five;
    await world.on("systemctl start catscan-prod-job-gmail-import.service");
    const history = await jsonOf<{ rows: number; archive_uri: string }[]>(world.url(8000, "/uploads/history"));
    assert.equal(history.length, 3);
    assert.ok(history.every(({ rows }) => rows === 20));
    const client = clientOf(world.s3);
    try {
      const keys = await keysIn(client, "rtbcat-csv-archive-frankfurt-328614522524");
      assert.deepEqual(
        history.map(({ archive_uri: uri }) => uri).sort(),
        keys.map((key) => `s3://rtbcat-csv-archive-frankfurt-328614522524/${key}`),
      );
    } finally {
      client.destroy();
    }
  });

  it("has every archive versioned, encrypted, closed to the public, and kept for good", async () => {
    const client = clientOf(five.world.s3);
    try {
      const names = await bucketNames(client);
      assert.equal(names.length, 4, names.join(" "));
      for (const name of names) {
        const { versioning, encryption, isPrivate, expires, coldAfter } = await bucketFacts(client, name);
        assert.deepEqual(
          { versioning, encryption, isPrivate, expires },
          { versioning: "Enabled", encryption: "AES256", isPrivate: true, expires: false },
          name,
        );
        assert.equal(coldAfter, name.startsWith("rtbcat-csv-archive") ? 30 : undefined, name);
      }
    } finally {
      client.destroy();
    }
  });
}
