import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BashHost } from "./bashHost";

describe("the host's ports", () => {
  let host: BashHost;
  beforeEach(() => {
    host = new BashHost();
    host.write("etc/homeport/shop-test/ports/.keep", "");
  });
  afterEach(() => {
    host.remove();
  });
  const registry = (): string => readFileSync(join(host.root, "var/lib/homeport/ports"), "utf8");
  const quiet = "listening_ports() { :; }\n";

  it("are the lowest that neither another app nor another program has", async () => {
    host.write("var/lib/homeport/ports", "20000 other-test web\n");
    const { code, progress } = await host.run(
      `listening_ports() { listening[20001]=yes; }\nPORT_KEYS=(api api/a/1); ports`,
    );
    assert.equal(code, 0, progress);
    assert.equal(registry(), "20000 other-test web\n20002 shop-test api\n20003 shop-test api/a/1\n");
    assert.equal(readFileSync(join(host.root, "etc/homeport/shop-test/ports/api-a-1"), "utf8"), "PORT=20003\n");
  });

  it("stay the same from deploy to deploy, also while their programs listen", async () => {
    await host.run(`${quiet}PORT_KEYS=(api api/a/1); ports`);
    const before = registry();
    await host.run(`listening_ports() { listening[20000]=yes listening[20001]=yes; }\nPORT_KEYS=(api api/a/1); ports`);
    assert.equal(registry(), before);
  });

  it("are never one for two apps that come at once", async () => {
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`).join(" ");
    const runs = ["one", "two", "three"].map((id) =>
      host.run(`ID=${id}\n${quiet}PORT_KEYS=(${keys}); allot() { with_host allot_ports; }; allot`),
    );
    for (const { code, progress } of await Promise.all(runs)) assert.equal(code, 0, progress);
    const lines = registry().trim().split("\n");
    assert.equal(lines.length, 36);
    assert.equal(new Set(lines.map((line) => line.split(" ")[0])).size, 36);
  });

  it("go back when the plan has them no more, and another app's stay", async () => {
    host.write("var/lib/homeport/ports", "29000 other-test worker/a/1\n");
    await host.run(`${quiet}SERVICES=(api) SERVICE=([api:public]=8000) PORT_KEYS=(api worker/a/1); ports`);
    assert.match(registry(), /^8000 shop-test public:api$/m);
    await host.run(`${quiet}SERVICES=(api) SERVICE=([api:public]=8001) PORT_KEYS=(api); ports; free_ports`);
    assert.equal(registry(), "8001 shop-test public:api\n20000 shop-test api\n29000 other-test worker/a/1\n");
    await host.run("PORT_KEYS=() SERVICE=(); free_ports");
    assert.equal(registry(), "29000 other-test worker/a/1\n");
  });

  it("are refused where another app has the public one, or a program that isn't the proxy", async () => {
    host.write("var/lib/homeport/ports", "8000 other-test public:web\n");
    const mine = "SERVICES=(api) SERVICE=([api:public]=8000); ports";
    const { out } = await host.run(quiet + mine);
    assert.match(out, /Port 8000 of api is another app's[^]*other-test[^]*pulumi config set shop:port\.api/);
    host.write("var/lib/homeport/ports", "");
    const ss = (name: string): string =>
      `ss() { echo 'LISTEN 0 5 0.0.0.0:8000 0.0.0.0:* users:(("${name}",pid=7,fd=3))'; }\nlistening_ports() { listening[8000]=yes; }\n`;
    assert.match(
      (await host.run(ss("nginx") + mine)).out,
      /Port 8000 of api is taken on the host[^]*nginx \(process 7\)/,
    );
    assert.equal((await host.run(ss("haproxy") + mine)).code, 0);
  });
});
