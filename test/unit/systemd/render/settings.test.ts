import assert from "node:assert/strict";
import type { HostPlan, PlannedService } from "../../../../targets/systemd/plan";
import { renderStage } from "../../../../targets/systemd/render";
import { firewallInput, firewallOutput } from "../../../../targets/systemd/render/firewall";
import { hostPath, volumeFolder } from "../../../../targets/systemd/render/names";
import { proxyText } from "../../../../targets/systemd/render/proxy";
import { watchConfig, watchSeconds } from "../../../../targets/systemd/render/toolUnits";
import { plainService, richPlan, without } from "./richPlan";
import { staged, stagedFile } from "./support";

const web = richPlan.services[0]!;
const bare: HostPlan = {
  ...richPlan,
  services: [plainService],
  jobs: [],
  commands: [],
  databases: [],
  buckets: [],
  diskReport: [],
};
const withService = (change: Partial<PlannedService>): HostPlan => ({
  ...bare,
  services: [{ ...plainService, ...change }],
});

describe("paths of a volume", () => {
  it("are found on the host", () => {
    assert.equal(volumeFolder(richPlan, "/data/chroma/"), "/var/lib/shop-prod/data-chroma");
    assert.equal(hostPath(richPlan, web, "/app/storage/x.db"), "/var/lib/shop-prod/app-storage/x.db");
    assert.equal(hostPath(richPlan, web, "/data"), "/var/lib/shop-prod/data");
  });
  it("are taken from the innermost volume", () => {
    const service = {
      ...web,
      volumes: [
        { path: "/data", sizeMib: 1 },
        { path: "/data/chroma", sizeMib: 1 },
      ],
    };
    assert.equal(hostPath(richPlan, service, "/data/chroma/x"), "/var/lib/shop-prod/data-chroma/x");
  });
  it("are refused outside of every volume", () => {
    assert.throws(() => hostPath(richPlan, web, "/database/x"), /shop\.web lies below none of its volumes/);
    assert.throws(() => renderStage(withService({ volumes: [{ path: "/da ta", sizeMib: 1 }] })), /can't be bound/);
    for (const path of ["/", "/root/.app", "/proc", "data"]) {
      assert.throws(
        () => renderStage(withService({ volumes: [{ path, sizeMib: 1 }] })),
        /volume can't be at|can't be bound/,
      );
    }
  });
});

describe("what the watch looks at", () => {
  it("is each service in its way, the disks and the databases", () => {
    assert.equal(
      watchConfig(richPlan),
      `health web @@port:web@@ /health
check web @@port:web@@ /api/products?limit=1 120
health api @@port:api@@ /health
worker worker 1
health browser @@port:browser@@ /health
disk 80 /
disk 80 /var/lib/shop-prod
database db postgres
database cache redis
database catalogue sqlite
`,
    );
  });
  it("keeps fields apart whatever is in a path", () => {
    const plan = withService({ health: "/a b?x=%20", checks: [{ path: "/ü", everySeconds: 60 }] });
    assert.match(watchConfig(plan), /^health web @@port:web@@ \/a%20b\?x=%20$/m);
    assert.match(watchConfig(plan), /^check web @@port:web@@ \/%C3%BC 60$/m);
  });
  it("comes round as often as its most frequent check, every 5 minutes at least", () => {
    assert.equal(watchSeconds(bare), 300);
    assert.equal(watchSeconds(richPlan), 120);
    assert.equal(watchSeconds(withService({ checks: [{ path: "/", everySeconds: 1 }] })), 10);
  });
});

describe("the packet filter", () => {
  it("opens no SSH to anybody who isn't named", () => {
    const rules = firewallInput({ ...richPlan, firewall: { manage: true, sshFrom: [], open: [] } });
    assert.doesNotMatch(rules, /accept/);
  });
  it("opens each port to those who may, by their family", () => {
    const open = [
      { port: 80, from: [] },
      { port: 81, from: ["0.0.0.0/0", "::/0", "10.0.0.1", "2001:db8::1"] },
    ];
    assert.deepEqual(
      firewallInput({ ...richPlan, firewall: { manage: true, sshFrom: ["10.0.0.0/8"], open } })
        .split("\n")
        .slice(1, -1),
      [
        "ip saddr 10.0.0.0/8 tcp dport @@ssh-port@@ accept",
        "tcp dport 80 accept",
        "meta nfproto ipv4 tcp dport 81 accept",
        "meta nfproto ipv6 tcp dport 81 accept",
        "ip saddr 10.0.0.1 tcp dport 81 accept",
        "ip6 saddr 2001:db8::1 tcp dport 81 accept",
      ],
    );
  });
  it("takes addresses only", () => {
    for (const from of ["any", "10.0.0.0/8 accept", "{ 10.0.0.1 }", "10.0.0.0/x", ""]) {
      assert.throws(
        () => firewallInput({ ...richPlan, firewall: { manage: true, sshFrom: [from], open: [] } }),
        /is no address/,
      );
    }
  });
  it("keeps every loopback port of the app to itself", () => {
    const rules = firewallOutput(richPlan) ?? "";
    for (const key of ["web", "web/a/1", "web/b/2", "browser/b/1", "cache"])
      assert.ok(rules.includes(`@@port:${key}@@`), key);
    assert.match(rules, /skuid != \{ 0, "shop-prod", "haproxy" \} reject/);
    assert.equal(firewallOutput(withService({ listens: false })), undefined);
  });
});

describe("the proxy", () => {
  it("listens for others only where a port is public", () => {
    const internal = without(plainService, "publicPort");
    const text = proxyText({ ...bare, services: [internal] }) ?? "";
    assert.deepEqual(text.match(/^ {2}bind .*$/gm), ["  bind 127.0.0.1:@@port:web@@"]);
    assert.match(proxyText(bare) ?? "", /^ {2}bind :8000$/m);
  });
  it("isn't there for an app of workers", () => {
    const files = staged(withService({ listens: false }));
    assert.ok(!files.has("proxy.cfg") && !files.has("domains") && !files.has("domains.map"));
  });
  it("has a server for each instance of both slots", () => {
    const names = [...(proxyText(richPlan) ?? "").matchAll(/^ {2}server (\S+) .*@@disabled:web\/(.)@@$/gm)].map(
      (m) => `${m[1]} ${m[2]}`,
    );
    assert.deepEqual(names, ["a-1 a", "a-2 a", "b-1 b", "b-2 b"]);
  });
  it("names an app's parts by its id, so that stacks of one app share a host", () => {
    const names = (id: string): string[] =>
      (proxyText({ ...richPlan, id }) ?? "").match(/^(frontend|backend) \S+|cookie \S+ insert/gm) ?? [];
    assert.ok(names("shop-prod").length > 5);
    assert.deepEqual(
      names("shop-prod").filter((name) => names("shop-dev").includes(name)),
      [],
    );
  });
  it("takes domains that are host names only", () => {
    assert.equal(stagedFile(richPlan, "domains.map"), "shop.example.com shop-prod-web\n");
    for (const domain of [
      "shop",
      "https://shop.example.com",
      "a b.example.com",
      "*.example.com",
      "x.example.com\nevil",
    ]) {
      assert.throws(() => renderStage(withService({ domain })), /is no host name/);
    }
  });
});

describe("settings of an app", () => {
  it("say where a database is saved", () => {
    assert.match(
      stagedFile(richPlan, "files/etc/homeport/shop-prod/backup/catalogue"),
      /^ENGINE=sqlite\nPATH=\/var\/lib\/shop-prod\/data\/db\/shop\.sqlite\nKEEP=4\n$/,
    );
    const unknown = richPlan.databases.map((d) =>
      d.engine === "postgres" ? { ...d, backup: { onCalendar: [], keep: 1, bucket: "x" } } : d,
    );
    assert.throws(() => renderStage({ ...richPlan, databases: unknown }), /names the bucket "x"/);
  });
  it("have no ping where nothing is pinged", () => {
    const plan = without(richPlan, "pingUrl");
    const files = staged(plan);
    assert.ok(!files.has("files/etc/homeport/shop-prod/ping"));
    assert.doesNotMatch(files.get("files/etc/systemd/system/shop-prod-job-scrape.service") ?? "", /ExecStartPost/);
    assert.match(
      stagedFile(richPlan, "files/etc/systemd/system/shop-prod-job-scrape.service"),
      /^ExecStartPost=-\+\S+\/ping shop-prod shop-prod-scrape$/m,
    );
  });
  it("give a job its own variables before its service's", () => {
    const text = stagedFile(richPlan, "files/etc/homeport/shop-prod/env/job-scrape.env");
    assert.match(text, /^API_KEY="S3CRET-job"$/m);
    assert.match(text, /^MODE="batch"$/m);
    assert.match(text, /^GMAIL_TOKEN="\/data\/\.secrets\/GMAIL_TOKEN"$/m);
  });
  it("name services that the plan has", () => {
    const job = { ...richPlan.jobs[0]!, service: "nobody" };
    assert.throws(() => renderStage({ ...richPlan, jobs: [job] }), /names the service "nobody", which it hasn't got/);
    assert.throws(
      () => renderStage(withService({ secretFiles: [{ variable: "T", content: "", rewritten: true }] })),
      /no volume to keep it on/,
    );
  });
});
