import assert from "node:assert/strict";
import type { HostPlan, PlannedService } from "../../../../targets/systemd/plan";
import { renderStage } from "../../../../targets/systemd/render";
import { richPlan } from "./richPlan";

/** The rich plan with something of its first service changed. */
const changed = (change: Partial<PlannedService>): HostPlan => ({
  ...richPlan,
  services: richPlan.services.map((service) => (service.name === "web" ? { ...service, ...change } : service)),
});
const web = richPlan.services[0]!;
const hashOf = (plan: HostPlan): string | undefined => renderStage(plan).hashes["web"];

describe("the hash of a service", () => {
  const different: Readonly<Record<string, Partial<PlannedService>>> = {
    "a new release": { code: { ...web.code, releaseId: "0000000000000000" } },
    "another command": { command: "gunicorn other:app" },
    "a changed secret": { env: { ...web.env, API_KEY: "other" } },
    "a variable less": { env: {} },
    "a changed secret file": {
      secretFiles: web.secretFiles.map((file) => (file.rewritten ? file : { ...file, content: "{}" })),
    },
    "a changed file that the app rewrites": {
      secretFiles: web.secretFiles.map((file) => (file.rewritten ? { ...file, content: "{}" } : file)),
    },
    "an instance more": { instances: 3 },
    "more memory": { memoryMib: 2048 },
    "another release step": { release: "true" },
  };
  for (const [what, change] of Object.entries(different)) {
    it(`differs with ${what}`, () => {
      assert.notEqual(hashOf(changed(change)), hashOf(richPlan));
    });
  }

  const equal: Readonly<Record<string, HostPlan>> = {
    "another public port": changed({ publicPort: 9000 }),
    "another domain": changed({ domain: "other.example.com" }),
    "other checks": changed({ checks: [] }),
    "other jobs": { ...richPlan, jobs: [] },
    "another alert address": { ...richPlan, alertWebhook: "https://other.example.com" },
    "the order of variables": changed({ env: Object.fromEntries(Object.entries(web.env).reverse()) }),
    "another service's change": {
      ...richPlan,
      services: richPlan.services.map((service) =>
        service.name === "worker" ? { ...service, command: "x" } : service,
      ),
    },
  };
  for (const [what, plan] of Object.entries(equal)) {
    it(`stays with ${what}`, () => {
      assert.equal(hashOf(plan), hashOf(richPlan));
    });
  }
});
