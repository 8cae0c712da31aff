import { output } from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import { deployStack } from "../../../components/deploy";
import { readSettings } from "../../../components/settings";
import { targets } from "../../../targets";
import { fly } from "../../../targets/fly";
import { FlyHome } from "../../../targets/fly/home";
import type { FlySpec } from "../../../targets/fly/plan";
import { flySettings } from "../../../targets/fly/settings";
import type { Target } from "../../../targets/target";
import { secretMarkers } from "../../support/config";
import { promiseOf, recordResources, type Recorded } from "../../support/mocks";
import { flyConfig } from "./plans";

const cwd = resolve(__dirname, "../../..");
const image = (name: string) => `registry.fly.io/${name}@sha256:${"1".padEnd(64, "0")}`;

/** Fly with images that are there already. */
const built: Target = {
  ...fly,
  open: (_apps, config) => {
    const { values } = readSettings("fly", flySettings, config);
    return Promise.resolve({
      home: (app) => new FlyHome(app, values, (_parent, one) => output(image(one.declaration.name))),
    });
  },
};

interface Secret {
  readonly value: unknown;
}
const secretOf = (value: unknown): string => {
  assert.ok(typeof value === "object" && value !== null && "value" in value, "It isn't marked as a secret.");
  return String((value as Secret).value);
};

describe("an app's home on Fly", () => {
  let recorded: Recorded[];
  beforeEach(async () => {
    recorded = await recordResources();
  });
  const deploy = async () => {
    const outputs = await deployStack({
      apps,
      targets: [...targets.filter(({ name }) => name !== built.name), built],
      config: flyConfig(),
      cwd,
    });
    return Promise.all(Object.values(outputs).map(promiseOf));
  };
  const commandOf = (app: string) => {
    const found = recorded.find(({ type, name }) => type === "command:local:Command" && name === `${app}-fly`);
    assert.ok(found !== undefined);
    return found.inputs;
  };

  it("is one command, and what has to be remembered between deploys", async () => {
    const [hotrod] = await deploy();
    const names = (type: string) => recorded.filter((one) => one.type === type).map(({ name }) => name);
    assert.deepEqual(names("command:local:Command").sort(), [
      "hotrod-backups",
      "hotrod-fly",
      "tileshop-backups",
      "tileshop-fly",
    ]);
    assert.deepEqual(names("random:index/randomPassword:RandomPassword").sort(), [
      "hotrod-pepper",
      "hotrod-redis-password",
      "tileshop-pepper",
    ]);
    assert.deepEqual((hotrod as { health: unknown }).health, { web: "https://hotrod-dev.fly.dev/health" });
  });

  it("hands the driver a spec that holds everything, as a secret", async () => {
    await deploy();
    const spec = JSON.parse(secretOf(commandOf("hotrod").stdin)) as FlySpec;
    assert.equal(spec.connection.machinesUrl, "https://api.machines.dev");
    const main = spec.apps.find(({ name }) => name === "hotrod-dev");
    assert.equal(main?.groups[0]?.config.image, image("hotrod"));
    assert.equal(
      main.secrets.REDIS_URL,
      "redis://default:generated-hotrod-redis-password@hotrod-dev--redis.flycast:6379/0",
    );
    assert.equal(spec.pepper, "generated-hotrod-pepper");
  });

  it("shows what a change is about, and no secret", async () => {
    await deploy();
    for (const app of ["hotrod", "tileshop"]) {
      const text = JSON.stringify({ ...commandOf(app), stdin: undefined });
      for (const secret of [...secretMarkers, "testtoken", "generated-"])
        assert.ok(!text.includes(secret), `${app}: ${secret}`);
    }
    const { environment } = commandOf("tileshop") as { environment: Record<string, string> };
    assert.equal(environment.HOMEPORT_WEB_MACHINES, "1 to 3 of shared 2 CPU, 4096 MiB");
    assert.match(environment.HOMEPORT_WEB_STICKY ?? "", /fly-replay/);
    assert.equal(environment.HOMEPORT_CRAWL4AI_STICKY, undefined);
    assert.equal(environment.HOMEPORT_WEB_ENV_ANTHROPIC_API_KEY, "[secret]");
    assert.equal(environment.HOMEPORT_FLY, "tileshop-dev in fra of personal");
  });
});
