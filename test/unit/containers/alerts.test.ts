import assert from "node:assert/strict";
import { unalerted } from "../../../targets/containers/checkAlerts";

const platform = { name: "Railway", instead: "its webhooks" };
const app = (name: string, settings: { alertWebhook?: string; pingUrl?: string }, jobs: readonly unknown[] = []) =>
  ({
    stack: "dev",
    declaration: { name, jobs },
    stackSettings: { alertWebhook: undefined, pingUrl: undefined, ...settings },
  }) as unknown as Parameters<typeof unalerted>[0][number];

const alertWebhook = "https://hooks.example.com/s3cret";
const pingUrl = "https://hc-ping.com/s3cret";

describe("Alerts on platforms that have none of Homeport's", () => {
  it("says which apps a webhook does nothing for, and what to do instead, without its address", () => {
    const lines = unalerted([app("clausea", { alertWebhook }), app("hotrod", { alertWebhook })], platform);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^homeport:alertWebhook: .*clausea, hotrod there; set up its webhooks\.$/);
    assert.doesNotMatch(lines.join(), /s3cret/);
  });

  it("says which apps have jobs that call no ping", () => {
    const lines = unalerted([app("clausea", { pingUrl }), app("hotrod", { pingUrl }, [{}])], platform);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^homeport:pingUrl: Jobs of hotrod don't call it on Railway/);
    assert.doesNotMatch(lines.join(), /s3cret/);
  });

  it("says nothing where neither is set", () => {
    assert.deepEqual(unalerted([app("clausea", {}, [{}])], platform), []);
  });
});
