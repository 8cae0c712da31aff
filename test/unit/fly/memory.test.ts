import assert from "node:assert/strict";
import type { MachineConfig } from "../../../targets/fly/api/types";
import type { FlyGroup } from "../../../targets/fly/plan";
import { remembered } from "../../../targets/fly/scheduler/memory";
import { Scene, shop, specOf, worker } from "./scene";

const files = (...times: readonly (readonly [name: string, expression: string])[]): MachineConfig["files"] => {
  const jobs = times.map(([name, expression]) => ({ name, expression, timeZone: "UTC" }));
  const raw_value = Buffer.from(JSON.stringify({ jobs, backups: [] })).toString("base64");
  return [{ guest_path: "/homeport/schedule.json", raw_value }];
};

const scheduler = (image: string, change: Partial<FlyGroup> = {}): FlyGroup => {
  const group = worker(image, { name: "scheduler", ...change });
  return { ...group, config: { ...group.config, files: files(["ingest", "0 2 * * *"]) ?? [] } };
};

describe("what the scheduler on Fly wrote down", () => {
  it("is known to the next one, of what that still has, and from when its times are others", () => {
    const metadata = {
      homeport_slot: "1",
      ran_ingest: "2026-01-01T02:00:00Z",
      ended_ingest: "success",
      since_ingest: "2025-12-01T00:00:00Z",
      ran_gone: "2026-01-01T03:00:00Z",
      ran_moved: "2026-01-01T04:00:00Z",
      since_moved: "2025-12-01T00:00:00Z",
    };
    const before = { metadata, files: files(["ingest", "0 2 * * *"], ["gone", "0 3 * * *"], ["moved", "0 4 * * *"])! };
    const after = { files: files(["ingest", "0 2 * * *"], ["moved", "0 5 * * *"], ["new", "0 1 * * *"])! };
    assert.deepEqual(remembered(before, after), {
      ran_ingest: "2026-01-01T02:00:00Z",
      ended_ingest: "success",
      since_ingest: "2025-12-01T00:00:00Z",
      ran_moved: "2026-01-01T04:00:00Z",
    });
    assert.deepEqual(remembered(undefined, after), {});
    assert.deepEqual(remembered({ metadata, files: [] }, { files: [] }), {});
  });

  for (const [words, region] of [
    ["an update", "fra"],
    ["a replacement", "ams"],
  ] as const) {
    it(`outlasts ${words}, also what it wrote while the deploy went on`, async () => {
      const scene = new Scene();
      await scene.up(specOf(shop([scheduler("app@sha256:1")])));
      const write = (key: string, value: string): void => {
        const [machine] = scene.machines();
        machine!.config = { ...machine!.config, metadata: { ...machine!.config.metadata, [key]: value } };
      };
      write("ran_ingest", "yesterday");
      scene.fly.onChange = () => {
        if (!(scene.fly.log.at(-1) ?? "").endsWith("/secrets")) return;
        write("ran_ingest", "today");
        write("ended_ingest", "running");
        scene.fly.onChange = () => undefined;
      };
      await scene.up(specOf(shop([scheduler("app@sha256:2")], { region, secrets: { API_KEY: "another-value" } })));
      const [machine, ...more] = scene.machines();
      const { ran_ingest, ended_ingest, homeport_state } = machine?.config.metadata ?? {};
      assert.deepEqual(
        [machine?.config.image, machine?.region, ran_ingest, ended_ingest, homeport_state, more.length],
        ["app@sha256:2", region, "today", "running", "proven", 0],
      );
    });
  }
});
