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

  /** The same configuration but for the two lines. @returns the commands that deploy, with their platforms, and the images */
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
    const deploys = recorded.flatMap(({ type, name, inputs }) =>
      type === "command:local:Command" && String(inputs["create"]).endsWith(" app apply")
        ? [`${name}: ${String(inputs["create"]).split(" ")[2] ?? ""}`]
        : [],
    );
    return {
      targets: told.map((summary) => (summary as { target: string }).target),
      deploys: deploys.sort(),
      images: recorded.filter(({ type }) => type === "docker:index/image:Image").map(({ name }) => name),
    };
  };
  // A move deletes at the one place what a resource of another name made, so no two platforms may share a name.
  it("live on Fly, each from one image", async () => {
    assert.deepEqual(await deploy("fly", "fly"), {
      targets: ["fly", "fly"],
      deploys: ["hotrod-fly: fly", "tileshop-fly: fly"],
      images: ["hotrod-web-image", "tileshop-web-image"],
    });
  });

  it("live on a host, where nothing is built", async () => {
    assert.deepEqual(await deploy("vps", "vps"), {
      targets: ["vps", "vps"],
      deploys: ["hotrod-vps-main: systemd", "tileshop-vps-main: systemd"],
      images: [],
    });
  });

  it("live apart", async () => {
    assert.deepEqual(await deploy("fly", "vps"), {
      targets: ["fly", "vps"],
      deploys: ["hotrod-fly: fly", "tileshop-vps-main: systemd"],
      images: ["hotrod-web-image"],
    });
  });
});
