import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import type { Machine, MachineConfig } from "../../../targets/fly/api/types";
import { packBefore, unpackBefore } from "../../../targets/fly/deploy/before";
import { planSteps } from "../../../targets/fly/deploy/steps";
import { hashesOf, volumeName } from "../../../targets/fly/deploy/tags";
import { jobScript } from "../../../targets/fly/scheduler/schedule";
import { shop, stored, web } from "./scene";

const names = fc.stringMatching(/^[a-z][a-z0-9]{0,12}(-[a-z0-9]{1,9}){0,3}$/);
const values = fc.dictionary(fc.stringMatching(/^[A-Z][A-Z_]{0,9}$/), fc.string({ unit: "binary", maxLength: 20 }), {
  noNullPrototype: true,
});

describe("what Fly's parts are named and held by", () => {
  it("gives each slot of each group a volume's name of its own that Fly takes", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(names, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 99 }),
        (groups, count) => {
          const all = groups.flatMap((group) =>
            Array.from({ length: count }, (_, index) => volumeName(group, index + 1)),
          );
          for (const name of all) assert.match(name, /^[a-z0-9_]{1,30}$/);
          assert.equal(new Set(all).size, all.length);
        },
      ),
    );
  });

  it("has one hash for one plan, whatever the order of its keys, and others for others", () => {
    fc.assert(
      fc.property(values, values, (one, other) => {
        const hashed = (env: Record<string, string>) => {
          const group = web("app@sha256:1", { config: { ...web("app@sha256:1").config, env } });
          return hashesOf(shop([group]), group, "secrets").spec;
        };
        const turned = Object.fromEntries(Object.entries(one).reverse());
        assert.equal(hashed(turned), hashed(one));
        const same = JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
        assert.equal(hashed(other) === hashed(one), same);
      }),
    );
  });

  it("packs a configuration so that a rollback has all of it but its labels and volumes", () => {
    fc.assert(
      fc.property(values, (env) => {
        const config: MachineConfig = { ...web("app@sha256:1").config, env };
        const machine: Machine = {
          id: "m1",
          state: "started",
          region: "fra",
          config: { ...config, metadata: { homeport_slot: "1" }, mounts: [{ volume: "vol_1", path: "/data" }] },
        };
        assert.deepEqual(unpackBefore(packBefore(machine)), config);
      }),
    );
  });
});

describe("a volume that grows", () => {
  it("has its machine restarted unless that knows the size, or is made anew anyway", () => {
    const gb = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(gb, gb, gb, fc.boolean(), (planned, has, knows, isNew) => {
        const group = stored(isNew ? "app@sha256:2" : "app@sha256:1", {
          count: 1,
          volume: { path: "/data", sizeGb: planned, snapshotDays: 5 },
        });
        const app = shop([group]);
        const hashes = new Map([["web", hashesOf(app, group, "secrets")]]);
        const before = hashesOf(shop([stored("app@sha256:1")]), stored("app@sha256:1"), "secrets");
        const metadata = {
          fly_process_group: "web",
          homeport_app: "shop-prod",
          homeport_role: "service",
          homeport_slot: "1",
          homeport_state: "proven",
          homeport_spec: before.spec,
          homeport_volume_gb: String(knows),
        };
        const mounts = [{ volume: "vol_1", path: "/data" }];
        const machine = { id: "m1", state: "started", region: "fra", config: { ...group.config, metadata, mounts } };
        const volume = {
          id: "vol_1",
          name: "web_1",
          state: "created",
          size_gb: has,
          region: "fra",
          attached_machine_id: "m1",
        };
        const steps = planSteps("shop-prod", app, hashes, { machines: [machine], volumes: [volume] });
        assert.equal(steps.grow.length, has < planned ? 1 : 0);
        assert.equal(steps.outgrown.length, !isNew && knows < Math.max(has, planned) ? 1 : 0);
        assert.equal(steps.outgrown[0]?.sizeGb, steps.outgrown.length === 1 ? Math.max(has, planned) : undefined);
      }),
    );
  });
});

describe("a job's commands", () => {
  it("end as the first that failed does, and see their variables as they were given", () => {
    const codes = fc.array(fc.constantFrom(0, 0, 1, 3, 42), { minLength: 1, maxLength: 4 });
    const text = fc.string({ unit: "grapheme-ascii", maxLength: 12 }).filter((value) => !value.includes("\u0000"));
    fc.assert(
      fc.property(codes, fc.constantFrom("stop", "continue"), text, (ends, onFailure, word) => {
        const commands = ends.map((code, index) => `printf '%s\\n' "ran ${index} $WORD"; ( exit ${code} )`);
        const script = jobScript({ commands, onFailure, env: { WORD: word } });
        const { status, stdout } = spawnSync("/bin/sh", ["-c", script], {
          encoding: "utf8",
          env: { PATH: "/usr/bin:/bin" },
        });
        const failed = ends.findIndex((code) => code !== 0);
        const count = onFailure === "stop" && failed >= 0 ? failed + 1 : ends.length;
        assert.equal(status, ends[failed] ?? 0);
        assert.equal(stdout, Array.from({ length: count }, (_, index) => `ran ${index} ${word}\n`).join(""));
      }),
      { numRuns: 60 },
    );
  });
});
