import { ComponentResource } from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { app, folder, node } from "../../../components";
import type { ResolvedApp } from "../../../components/resolvedApp";
import { resolveStack } from "../../../components/resolveStack";
import type { StackConfig } from "../../../components/settings";
import { openImages, type Destination } from "../../../targets/containers/images";
import { fly } from "../../../targets/fly";
import { promiseOf, recordResources, type Recorded } from "../../support/mocks";

const project = resolve(__dirname, "../../..");
const stack = `images-test-${process.pid}`;

describe("images from Dockerfiles", () => {
  let sources: string;
  let recorded: Recorded[];
  const engine = createServer((_request, response) => response.end("OK"));
  let host: string;

  before(async () => {
    await new Promise<void>((done) => engine.listen(0, "127.0.0.1", done));
    host = `tcp://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    sources = mkdtempSync(join(tmpdir(), "homeport-images-"));
    writeFileSync(join(sources, "Dockerfile"), "FROM scratch\n");
  });
  afterEach(() => {
    rmSync(sources, { recursive: true, force: true });
    rmSync(join(project, ".homeport/contexts", stack), { recursive: true, force: true });
  });
  after(() => engine.close());

  const shop = app("shop", "Sells", (a) => {
    const code = { source: folder(sources), runtime: node("20") };
    a.service("web", { ...code, command: "node web.js", port: 8080, health: "/health" });
    a.service("worker", { ...code, command: "node worker.js" });
    a.service("admin", { ...code, command: "node admin.js", dockerfile: "admin.Dockerfile" });
    a.service("cache", { image: "docker.io/library/memcached:1", port: 11211, access: "internal", health: "/" });
  });

  const configOf = (changes: Record<string, string> = {}): StackConfig => ({
    stack,
    entries: new Map(
      Object.entries({
        "homeport:environment": "dev",
        "shop:target": "fly",
        "fly:region": "fra",
        "docker:host": host,
        ...changes,
      }).map(([key, value]) => [key, { value, secret: false }]),
    ),
  });
  const resolved = async (config: StackConfig): Promise<ResolvedApp> => {
    const { apps } = await resolveStack({ apps: [shop], targets: [fly], config, cwd: project });
    assert.ok(apps[0] !== undefined);
    return apps[0];
  };
  const destinations: string[] = [];
  const destination = (_parent: ComponentResource, { declaration }: ResolvedApp): Destination => {
    destinations.push(declaration.name);
    return { repository: "registry.example.com/shop-dev", username: "x", password: "marker-password", after: [] };
  };
  const build = async (changes: Record<string, string> = {}) => {
    recorded = await recordResources();
    const config = configOf(changes);
    const one = await resolved(config);
    const image = await openImages([one], config, destination);
    const parent = new ComponentResource("test:index:App", "shop");
    const services = one.declaration.services.filter((service) => service.source !== undefined);
    const outputs = services.map((service) => image(parent, one, service));
    await Promise.all(outputs.map((output) => promiseOf(output as ReturnType<typeof promiseOf> as never)));
    return recorded.filter(({ type }) => type === "docker:index/image:Image");
  };

  it("are one for all services of one source and Dockerfile", async () => {
    writeFileSync(join(sources, "admin.Dockerfile"), "FROM scratch\n");
    destinations.length = 0;
    const images = await build();
    assert.deepEqual(images.map(({ name }) => name).sort(), ["shop-admin-image", "shop-web-image"]);
    assert.deepEqual(destinations, ["shop"]);
    const [web] = images.filter(({ name }) => name === "shop-web-image");
    const context = `.homeport/contexts/${stack}/shop-web`;
    assert.deepEqual(web?.inputs["build"], { context, dockerfile: `${context}/Dockerfile`, platform: "linux/amd64" });
    assert.equal(web.inputs["imageName"], "registry.example.com/shop-dev:web");
    assert.equal(web.inputs["buildOnPreview"], false);
    assert.ok(existsSync(join(project, context, "Dockerfile")));
  });

  it("hide the registry's password", async () => {
    writeFileSync(join(sources, "admin.Dockerfile"), "FROM scratch\n");
    const [image] = await build();
    // A secret within makes the whole a secret where resources are recorded.
    const { value } = image?.inputs["registry"] as { value?: unknown };
    assert.deepEqual(value, { server: "registry.example.com", username: "x", password: "marker-password" });
  });

  it("are refused before anything is registered where a Dockerfile or the Docker Engine lacks", async () => {
    await assert.rejects(build({ "docker:host": "tcp://127.0.0.1:1" }), (error: Error) => {
      assert.match(error.message, /2 problems\. Nothing was touched/);
      assert.match(error.message, /shop\.admin\.dockerfile: The source has no file "admin\.Dockerfile"/);
      assert.match(error.message, /docker:host: No Docker Engine answers at tcp:\/\/127\.0\.0\.1:1/);
      return true;
    });
    assert.deepEqual(recorded, []);
  });

  it("need neither an engine nor a provider where no service has a source", async () => {
    recorded = await recordResources();
    const config = configOf({ "docker:host": "tcp://127.0.0.1:1" });
    const one = await resolved(config);
    await openImages([{ ...one, code: {} }], config, destination);
    assert.deepEqual(recorded, []);
  });
});
