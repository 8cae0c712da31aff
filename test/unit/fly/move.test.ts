import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import { deployStack } from "../../../components/deploy";
import { targets } from "../../../targets";
import { workingConfig } from "../../support/config";
import { promiseOf, recordResources } from "../../support/mocks";

const cwd = resolve(__dirname, "../../..");

describe("hotrod and tileshop by their stack lines", () => {
  const engine = createServer((_request, response) => response.end("OK"));
  let host: string;
  before(async () => {
    await new Promise<void>((done) => engine.listen(0, "127.0.0.1", done));
    host = `tcp://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  });
  after(() => engine.close());

  /** The same configuration but for the two lines. @returns what each app's command runs, and the images */
  const deploy = async (hotrod: string, tileshop: string) => {
    const recorded = await recordResources();
    const config = workingConfig({
      "homeport:apps": '["hotrod","tileshop"]',
      "fly:apiToken": { value: "FlyV1 fm2_testtokentesttoken", secret: true },
      "fly:region": "fra",
      "docker:host": host,
      "hotrod:target": hotrod,
      "tileshop:target": tileshop,
    });
    const outputs = await deployStack({ apps, targets, config, cwd });
    const told = await Promise.all(Object.values(outputs).map(promiseOf));
    const commandOf = (app: string) =>
      recorded.find(({ type, name }) => type === "command:local:Command" && name === app)?.inputs["create"];
    return {
      targets: told.map((summary) => (summary as { target: string }).target),
      commands: ["hotrod", "tileshop"].map((app) => commandOf(app)),
      images: recorded.filter(({ type }) => type === "docker:index/image:Image").map(({ name }) => name),
    };
  };
  const command = (platform: string) => `node .homeport/driver.cjs ${platform} app apply`;

  it("live on Fly, each from one image", async () => {
    assert.deepEqual(await deploy("fly", "fly"), {
      targets: ["fly", "fly"],
      commands: [command("fly"), command("fly")],
      images: ["hotrod-web-image", "tileshop-web-image"],
    });
  });

  it("live on a host, where nothing is built", async () => {
    assert.deepEqual(await deploy("vps", "vps"), {
      targets: ["vps", "vps"],
      commands: [command("systemd"), command("systemd")],
      images: [],
    });
  });

  it("live apart", async () => {
    assert.deepEqual(await deploy("fly", "vps"), {
      targets: ["fly", "vps"],
      commands: [command("fly"), command("systemd")],
      images: ["hotrod-web-image"],
    });
  });
});
