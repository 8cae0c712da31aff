import assert from "node:assert/strict";
import { resolve } from "node:path";
import fc from "fast-check";
import { app, cron, fromStack, node } from "../../../components";
import { resolveStack } from "../../../components/resolveStack";
import { readSettings } from "../../../components/settings";
import { Size } from "../../../components/values/size";
import { createBody, differences, fullImage } from "../../../targets/render/deploy/requests";
import type { Service } from "../../../targets/render/api/types";
import { specHash } from "../../../targets/render/deploy/marks";
import { keyValuePlanFor, postgresDisk } from "../../../targets/render/sizes";
import { inStages } from "../../../targets/render/stages";
import { fillTokens, token, tokensIn } from "../../../targets/render/tokens";
import { renderSettings } from "../../../targets/render/settings";
import { ofRepository, planFor, planOf, renderConfig, resolveOnRender, withRender } from "./plans";
import { shop } from "./scene";

const cwd = resolve(__dirname, "../../..");
const place = { ownerId: "tea-1", environmentId: "evm-1" };

describe("the plan of an app on Render", () => {
  it("has hotrod's services, data and disk as its runbook says", async () => {
    const { services, postgres, keyValues, project, environment, isProtected } = await planOf("hotrod");
    assert.deepEqual([project, environment, isProtected], ["hotrod", "dev", false]);
    assert.deepEqual(
      services.map(({ name, type, plan }) => `${name} ${type} ${plan}`),
      ["hotrod-dev-web web_service starter", "hotrod-dev-worker background_worker starter"],
    );
    const [web] = services;
    assert.equal(web!.release, "npm run prisma:migrate");
    assert.equal(web!.healthPath, "/health");
    assert.deepEqual(web!.disk, { name: "data", path: "/data/chroma", sizeGb: 10 });
    assert.equal(web!.env["DATABASE_URL"], token("postgres", "db"));
    assert.equal(web!.env["REDIS_URL"], token("keyvalue", "redis"));
    assert.deepEqual(postgres, [{ part: "db", name: "hotrod-dev-db", plan: "basic_256mb", diskGb: 10, version: "17" }]);
    assert.deepEqual(keyValues, [{ part: "redis", name: "hotrod-dev-redis", plan: "starter" }]);
  });

  it("runs jobs beside a service with a disk, and others as cron jobs with its code and variables", async () => {
    const { services } = await planOf("hotrod");
    assert.match(services[0]!.command!, /; sh \/etc\/secrets\/homeport-jobs & exec npm run start$/);
    assert.match(services[0]!.files["homeport-jobs"]!, /run ingest 'exec timeout 7200 sh -c /);
    const small = app("hotrod", "Small", (a) => {
      const api = a.service("api", {
        source: fromStack(),
        runtime: node("20"),
        command: "serve",
        env: { WORD: "one" },
      });
      a.job("digest", { in: api, at: cron("30 8 * * mon"), command: "digest", env: { MORE: "two" } });
    });
    const config = renderConfig({ "hotrod:instances": undefined });
    const { apps: resolved } = await resolveStack({ apps: [small], targets: withRender, config, cwd });
    const settings = readSettings("render", renderSettings, config).values;
    const plan = planFor(ofRepository(resolved[0]!), settings);
    const [api, digest] = plan.services;
    assert.deepEqual([digest!.type, digest!.schedule, digest!.name], ["cron_job", "30 8 * * 1", "hotrod-dev-digest"]);
    assert.deepEqual([digest!.code, digest!.env], [api!.code, { WORD: "one", MORE: "two" }]);
    assert.ok(digest!.stage > api!.stage);
    assert.equal(digest!.command, "exec timeout 3600 sh -c 'digest'");
  });

  it("asks for a service in one request with all of its variables, as it is deployed at once", async () => {
    const spec = await planOf("hotrod");
    const [web, worker] = spec.services;
    const body = createBody(spec, worker!, place, { A: "1" }) as Record<string, unknown>;
    assert.deepEqual(body, {
      type: "background_worker",
      name: "hotrod-dev-worker",
      ownerId: "tea-1",
      environmentId: "evm-1",
      repo: "https://github.com/acme/hotrod",
      rootDir: "",
      autoDeploy: "no",
      branch: "main",
      envVars: [{ key: "A", value: "1" }],
      serviceDetails: {
        runtime: "docker",
        plan: "starter",
        envSpecificDetails: {
          dockerCommand: "/bin/sh -c 'exec npm run worker'",
          dockerContext: ".",
          dockerfilePath: "./Dockerfile",
        },
        preDeployCommand: "",
        maxShutdownDelaySeconds: 30,
        region: "frankfurt",
        numInstances: 1,
      },
    });
    const { serviceDetails } = createBody(spec, web!, place, {}) as { serviceDetails: Record<string, unknown> };
    assert.deepEqual(serviceDetails["disk"], { name: "data", mountPath: "/data/chroma", sizeGB: 10 });
    assert.equal(serviceDetails["preDeployCommand"], "/bin/sh -c 'npm run prisma:migrate'");
  });

  it("asks for autoscaling where a service has bounds", () => {
    const [, web] = shop("a1", { instances: { min: 1, max: 3 } });
    const body = createBody({ region: "oregon" } as never, web!, place, {}) as { serviceDetails: object };
    const { numInstances, autoscaling } = body.serviceDetails as { numInstances: number; autoscaling: object };
    assert.equal(numInstances, 1);
    const { enabled, min, max } = autoscaling as Record<string, unknown>;
    assert.deepEqual([enabled, min, max], [true, 1, 3]);
  });

  it("finds no difference in what it asked for itself", () => {
    for (const service of shop()) {
      const body = createBody({ region: "oregon" } as never, service, place, {}) as Record<string, never>;
      const { image, ...rest } = body as { image?: { imagePath: string } };
      const found = { ...rest, ...(image === undefined ? {} : { imagePath: image.imagePath }) } as unknown as Service;
      assert.deepEqual(differences(service, found), [], service.part);
      const other = { ...service, plan: "standard", command: "another" };
      assert.deepEqual(differences(other, found), ["plan", "command"], service.part);
    }
  });

  it("takes the code from the repository that people read by their keys, and from what the stack says", async () => {
    const { apps, settings } = await resolveOnRender();
    const app = ofRepository(apps[0]!, "b2", "services/shop");
    const [web] = planFor(app, settings).services;
    assert.deepEqual(web!.code, {
      kind: "repository",
      repo: "https://github.com/acme/hotrod",
      branch: "main",
      rootDir: "services/shop",
      dockerfilePath: "./Dockerfile",
      commit: "b2".padEnd(40, "0"),
    });
    const told = { ...settings, repositories: { hotrod: "https://gitlab.com/acme/other" } };
    const [other] = planFor(app, told).services;
    assert.equal(other!.code.kind === "repository" && other!.code.repo, "https://gitlab.com/acme/other");
  });

  it("hashes all that takes a deploy, by a key, and not what has a call of its own", () => {
    const [, web] = shop();
    const hash = specHash("pepper", web!);
    for (const change of [
      { plan: "standard" },
      { command: "other" },
      { release: "other" },
      { env: { ...web!.env, API_KEY: "other" } },
      { files: {} },
      { code: { kind: "image", image: "x" } as const },
    ])
      assert.notEqual(specHash("pepper", { ...web!, ...change }), hash, JSON.stringify(change));
    assert.equal(specHash("pepper", { ...web!, instances: { min: 3, max: 3 }, domains: [] }), hash);
    assert.notEqual(specHash("other pepper", web!), hash);
  });

  it("deploys each service after those whose host names it needs", () => {
    fc.assert(
      fc.property(
        // The n-th service may need any before it: no circle can come about.
        fc.array(fc.tuple(fc.nat(2), fc.array(fc.nat(9), { maxLength: 3 })), { minLength: 1, maxLength: 8 }),
        fc.func(fc.nat()),
        (drawn, order) => {
          const services = drawn.map(([stage, needs], index) => {
            const others = needs.filter((other) => other < index);
            const env = Object.fromEntries(others.map((other) => [`H${other}`, token("host", `s${other}`)]));
            return { ...shop()[0]!, part: `s${index}`, stage, env };
          });
          const shuffled = [...services].sort((one, other) => order(one.part) - order(other.part));
          const staged = new Map(inStages(shuffled).map((service) => [service.part, service.stage]));
          for (const { part, env } of services)
            for (const value of Object.values(env))
              for (const needed of tokensIn(value)) assert.ok(staged.get(needed.part)! < staged.get(part)!);
        },
      ),
    );
  });

  it("fills in what it knows, and leaves the rest", () => {
    const values = new Map([[token("postgres", "db"), "postgresql://u@h/d"]]);
    const text = `${token("postgres", "db")}?x=1 ${token("host", "web")}`;
    assert.equal(fillTokens(text, values), `postgresql://u@h/d?x=1 ${token("host", "web")}`);
    assert.deepEqual(tokensIn(text), [
      { kind: "postgres", part: "db" },
      { kind: "host", part: "web" },
    ]);
  });

  it("names images as Render does", () => {
    assert.equal(fullImage("nginx"), "docker.io/library/nginx:latest");
    assert.equal(fullImage("acme/app:2"), "docker.io/acme/app:2");
    assert.equal(fullImage("ghcr.io/acme/app@sha256:ab"), "ghcr.io/acme/app@sha256:ab");
    assert.equal(fullImage("localhost:5000/app"), "localhost:5000/app:latest");
  });

  it("buys at least what is asked for", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16_384 }), (gib) => {
        const disk = postgresDisk(Size.gib(gib));
        assert.ok(disk >= gib && (disk === 1 || disk % 5 === 0));
      }),
    );
    assert.deepEqual([postgresDisk(undefined), postgresDisk(Size.mib(300))], [5, 1]);
    const plans = [Size.mib(256), Size.mib(257), Size.gib(10), Size.gib(11)].map(keyValuePlanFor);
    assert.deepEqual(plans, ["starter", "standard", "pro_plus", undefined]);
  });
});
