import assert from "node:assert/strict";
import fc from "fast-check";
import type { HostPlan } from "../../../../targets/systemd/plan";
import { renderStage } from "../../../../targets/systemd/render";
import { plainService, richPlan } from "./richPlan";
import { bash, nasty, stagedFile } from "./support";

/** plan.sh as deploy.sh sees it: arrays and tables by `name:key`, variables by name. */
function read(plan: HostPlan): Map<string, string> {
  const dump = `
    set -eu
    for name in APP STACK ID APP_USER RELEASES_KEPT MANAGE_FIREWALL ON_DELETE; do printf '%s\\0%s\\0' "$name" "\${!name}"; done
    for name in NEEDS SERVICES RELEASES DATABASES PORT_KEYS TIMERS UNITS HOST_UNITS SERVICE DATABASE; do
      declare -n list=$name
      for key in "\${!list[@]}"; do printf '%s\\0%s\\0' "$name:$key" "\${list[$key]}"; done
    done`;
  const words = bash(stagedFile(plan, "plan.sh") + dump)
    .split("\0")
    .slice(0, -1);
  return new Map(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1] ?? ""] as const] : [])));
}

describe("plan.sh", () => {
  it("gives deploy.sh the plan", () => {
    const plan = read(richPlan);
    const { hashes } = renderStage(richPlan);
    const get = (...keys: string[]): (string | undefined)[] => keys.map((key) => plan.get(key));
    assert.deepEqual(get("ID", "APP_USER", "RELEASES_KEPT", "MANAGE_FIREWALL", "ON_DELETE"), [
      ...["shop-prod", "shop-prod", "5", "yes", "keep data"],
    ]);
    assert.deepEqual(get("SERVICE:web:hash", "SERVICE:web:kind", "SERVICE:web:release", "SERVICE:web:domain"), [
      ...[hashes["web"], "process", "3fa29c01d2e4b586", "shop.example.com"],
    ]);
    assert.deepEqual(get("SERVICE:web:volumes", "SERVICE:web:volume-mib"), ["/data\n/app/storage", "30720\n51200"]);
    assert.deepEqual(get("SERVICE:browser:kind", "SERVICE:browser:image", "SERVICE:browser:release"), [
      ...["container", "docker.io/unclecode/crawl4ai:0.7.4", undefined],
    ]);
    assert.deepEqual(get("SERVICE:worker:build", "SERVICE:worker:listens", "SERVICE:worker:health"), [
      ...["npm run build", "no", undefined],
    ]);
    assert.deepEqual(get("RELEASES:0", "RELEASES:1", "RELEASES:2"), [
      "3fa29c01d2e4b586",
      "77aa0c01d2e4b586",
      undefined,
    ]);
    assert.deepEqual(get("DATABASE:db:extensions", "DATABASE:catalogue:path", "UNITS:0"), [
      ...["vector", "/data/db/shop.sqlite", "shop-prod-redis-cache.service"],
    ]);
  });

  it("is read by bash as it was meant, whatever a build command holds", () => {
    const builds = [
      "echo 'it'\\''s'",
      ...fc.sample(
        nasty.filter((text) => text !== ""),
        12,
      ),
    ];
    const services = builds.map((build, i) => ({
      ...plainService,
      name: `s${i}`,
      code: { ...plainService.code, build },
    }));
    const plan = read({ ...richPlan, services, jobs: [], commands: [], databases: [] });
    assert.deepEqual(
      services.map((service) => plan.get(`SERVICE:${service.name}:build`)),
      builds,
    );
  });

  it("asks for what the plan uses, and for nothing else", () => {
    const needs = (plan: HostPlan): string[] =>
      [...read(plan)]
        .filter(([key]) => key.startsWith("NEEDS:"))
        .map(([, value]) => value)
        .sort();
    const bare: HostPlan = {
      ...richPlan,
      services: [
        {
          ...plainService,
          listens: false,
          code: {
            ...plainService.code,
            runtime: { language: "python", version: "3.12", dependencies: "requirements.txt" },
          },
        },
      ],
      jobs: [],
      commands: [],
      databases: [],
      firewall: { manage: false, sshFrom: [], open: [] },
    };
    assert.deepEqual(needs(bare), ["python:3.12"]);
    assert.deepEqual(needs(richPlan), [
      ...["certbot", "container", "firewall", "logrotate", "node:20", "postgres", "postgres:vector", "proxy"],
      ...["python:3.11", "redis", "s3", "sqlite", "uv"],
    ]);
  });
});
