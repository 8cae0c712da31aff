import assert from "node:assert/strict";
import { load } from "js-yaml";
import { blueprint } from "../../../targets/render/blueprint";
import { rememberPlace } from "../../../targets/containers/session";
import { secretMarkers } from "../../support/config";
import { ofRepository, resolveOnRender } from "./plans";

interface Written {
  readonly services: readonly (Record<string, unknown> & { envVars?: readonly Record<string, unknown>[] })[];
  readonly databases: readonly Record<string, unknown>[];
}

/** Read by a parser that isn't ours. */
const read = (text: string): Written => load(text) as Written;

describe("an app as a render.yaml", () => {
  it("has what a deploy would make, and no secret", async () => {
    const { apps, settings } = await resolveOnRender();
    const text = blueprint(ofRepository(apps[0]!), { ...settings, names: { "hotrod-web": "dashboard-remix" } });
    for (const secret of [...secretMarkers, "testkey"]) assert.ok(!text.includes(secret), secret);
    const { services, databases } = read(text);
    const [web, worker, redis] = services;
    const { envVars = [], ...rest } = web!;
    assert.deepEqual(rest, {
      ...{ type: "web", name: "dashboard-remix", runtime: "docker", plan: "starter", region: "frankfurt" },
      ...{ repo: "https://github.com/acme/hotrod", branch: "main", dockerfilePath: "./Dockerfile", dockerContext: "." },
      autoDeployTrigger: "off",
      dockerCommand: `/bin/sh -c '${rememberPlace}; sh /etc/secrets/homeport-jobs & exec npm run start'`,
      ...{
        preDeployCommand: "/bin/sh -c 'npm run prisma:migrate'",
        healthCheckPath: "/health",
        maxShutdownDelaySeconds: 30,
      },
      disk: { name: "data", mountPath: "/data/chroma", sizeGB: 10 },
    });
    const byKey = new Map(envVars.map(({ key, ...one }) => [key, one]));
    assert.deepEqual(byKey.get("DATABASE_URL"), {
      fromDatabase: { name: "hotrod-dev-db", property: "connectionString" },
    });
    assert.deepEqual(byKey.get("REDIS_URL"), {
      fromService: { type: "keyvalue", name: "hotrod-dev-redis", property: "connectionString" },
    });
    assert.deepEqual(byKey.get("OPENAI_API_KEY"), { sync: false });
    assert.deepEqual(byKey.get("LOG_FORMAT"), { value: "json" });
    assert.deepEqual([worker!["type"], redis!["type"]], ["worker", "keyvalue"]);
    assert.deepEqual(databases, [
      {
        ...{ name: "hotrod-dev-db", plan: "basic-256mb", region: "frankfurt", postgresMajorVersion: "17" },
        ...{ diskSizeGB: 10, ipAllowList: [] },
      },
    ]);
    assert.match(text, /^# .*Secret files.*\n# {3}dashboard-remix: homeport-jobs$/m);
  });
});
