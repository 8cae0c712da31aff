import assert from "node:assert/strict";
import fc from "fast-check";
import { isThere, type Machine, type Volume } from "../../../targets/fly/api/types";
import { planSteps, type Observed, type Steps } from "../../../targets/fly/deploy/steps";
import { configFor, hashesOf, tag, volumeName } from "../../../targets/fly/deploy/tags";
import type { FlyGroup } from "../../../targets/fly/plan";
import { shop, stored, web, worker } from "./scene";

const id = "shop-prod";

/** A platform on which the planner's steps are carried out, or some of them, in order. */
interface Model {
  machines: Machine[];
  volumes: Volume[];
  next: number;
}

const groupsOf = (kind: "web" | "stored", count: number, image: string): FlyGroup[] => [
  kind === "web" ? web(image, { count }) : stored(image, { count }),
  worker(image),
];

function plan(model: Model, groups: readonly FlyGroup[]): Steps {
  const app = shop(groups);
  const hashes = new Map(groups.map((group) => [group.name, hashesOf(app, group, "secrets")]));
  return planSteps(id, app, hashes, model);
}

/** Single changes of the platform that steps ask for: new volumes and machines, updates, then what is taken away. */
function changes(model: Model, steps: Steps): (() => void)[] {
  const todo: (() => void)[] = [];
  const volumes = new Map<string, string>();
  for (const { group, slots } of steps.groups) {
    for (const { slot, volume } of slots) {
      if (group.volume === undefined || volume !== undefined) continue;
      todo.push(() => {
        const made = {
          id: `vol_${model.next++}`,
          name: volumeName(group.name, slot),
          state: "created",
          size_gb: 10,
          region: "fra",
        };
        model.volumes.push(made);
        volumes.set(made.name, made.id);
      });
    }
  }
  const remove = (machine: Machine) => () => {
    model.machines = model.machines.filter((one) => one.id !== machine.id);
    for (const volume of model.volumes)
      if (volume.attached_machine_id === machine.id) Object.assign(volume, { attached_machine_id: null });
  };
  const gone: (() => void)[] = [];
  for (const { group, hashes, slots } of steps.groups) {
    for (const { slot, act, machine, volume, retire } of slots) {
      const mounted = () => volume?.id ?? volumes.get(volumeName(group.name, slot));
      const config = () => {
        const at = mounted();
        return configFor(id, group, hashes, {
          slot,
          version: 2,
          deploy: "",
          record: undefined,
          before: undefined,
          ...(at === undefined ? {} : { volume: at }),
        });
      };
      const holder = retire.find((one) => one.config?.mounts?.some((mount) => mount.volume === volume?.id));
      if (act === "create" && holder !== undefined) todo.push(remove(holder));
      if (act === "create") {
        todo.push(() => {
          const made: Machine = {
            id: `m${model.next++}`,
            state: "started",
            region: "fra",
            instance_id: `v${model.next}`,
            config: config(),
          };
          model.machines.push(made);
          const attached = model.volumes.find((one) => one.id === mounted());
          if (group.volume !== undefined) {
            assert.ok(attached !== undefined, "a machine was made without its volume");
            assert.ok((attached.attached_machine_id ?? null) === null, "a volume was given to two machines");
            Object.assign(attached, { attached_machine_id: made.id });
          }
        });
      }
      if (act === "update" && machine !== undefined) todo.push(() => Object.assign(machine, { config: config() }));
      gone.push(...retire.filter((one) => one !== holder).map(remove));
    }
  }
  gone.push(...steps.surplus.map(remove), ...steps.releases.map(remove));
  const prove = () => {
    for (const machine of model.machines) {
      if (machine.config?.metadata?.[tag.owner] !== id) continue;
      Object.assign(machine.config.metadata, { [tag.state]: "proven" });
    }
  };
  return [...todo, ...gone, prove];
}

const history = fc.array(
  fc.record({
    kind: fc.constantFrom("web" as const, "stored" as const),
    count: fc.integer({ min: 1, max: 4 }),
    image: fc.constantFrom("app@1", "app@2", "app@3"),
    /** After so many changes the run is killed. */
    kill: fc.option(fc.nat(12), { nil: Infinity }),
  }),
  { minLength: 1, maxLength: 5 },
);

/** Whatever may lie around: another's machines, a release left behind, a machine made twice by an answer that was lost. */
const litter: Machine[] = [
  {
    id: "x1",
    state: "started",
    region: "fra",
    config: {
      ...web("x").config,
      metadata: { [tag.group]: "web", [tag.owner]: "another", [tag.role]: "service", [tag.slot]: "1" },
    },
  },
  {
    id: "x2",
    state: "stopped",
    region: "fra",
    config: { ...web("x").config, metadata: { [tag.owner]: id, [tag.role]: "release" } },
  },
];

describe("the planner of Fly deploys", () => {
  it("converges from whatever state earlier runs left, doubles nothing, and loses no volume", () => {
    fc.assert(
      fc.property(history, fc.boolean(), (runs, double) => {
        const model: Model = { machines: structuredClone(litter), volumes: [], next: 1 };
        for (const { kind, count, image, kill } of runs) {
          for (const change of changes(model, plan(model, groupsOf(kind, count, image))).slice(0, kill)) change();
        }
        const [some] = model.machines.filter(
          (machine) => machine.config?.metadata?.[tag.role] === "service" && machine.config.mounts === undefined,
        );
        if (double && some !== undefined) model.machines.push({ ...structuredClone(some), id: `m${model.next++}` });
        const before = model.volumes.map((volume) => volume.id);
        const last = runs.at(-1)!;
        const groups = groupsOf(last.kind, last.count, last.image);
        for (const change of changes(model, plan(model, groups))) change();
        const settled = plan(model, groups);
        assert.ok(
          settled.groups.every(({ slots }) => slots.every(({ act, retire }) => act === "keep" && retire.length === 0)),
        );
        assert.deepEqual([settled.surplus, settled.releases, settled.unproven], [[], [], false]);
        const own = model.machines.filter((machine) => machine.config?.metadata?.[tag.owner] === id);
        assert.equal(own.length, last.count + 1);
        assert.ok(own.every((machine) => machine.config?.image === last.image));
        assert.ok(
          model.machines.some((machine) => machine.id === "x1"),
          "another's machine was taken away",
        );
        assert.ok(
          before.every((volume) => model.volumes.some((one) => one.id === volume)),
          "a volume was lost",
        );
        const mounted = own.flatMap((machine) => machine.config?.mounts ?? []).map(({ volume }) => volume);
        assert.equal(new Set(mounted).size, last.kind === "stored" ? last.count : 0);
      }),
      { numRuns: 300 },
    );
  });

  it("knows of a machine that is getting another configuration, and of none that won't come back", () => {
    const states = ["created", "starting", "started", "stopped", "updating", "replacing", "failed"];
    const ended = ["destroying", "destroyed", "replaced", "migrated"];
    const there = [...states, ...ended].filter((state) => isThere({ id: "m1", region: "fra", state }));
    assert.deepEqual(there, states);
  });

  it("uses a slot's own volume again, and makes none while there is one", () => {
    fc.assert(
      fc.property(history, (runs) => {
        const model: Model = { machines: [], volumes: [], next: 1 };
        for (const { count, image, kill } of runs) {
          for (const change of changes(model, plan(model, groupsOf("stored", count, image))).slice(0, kill)) change();
        }
        const names = model.volumes.map(({ name }) => name);
        assert.equal(new Set(names).size, names.length, names.join(" "));
      }),
    );
  });

  it("asks for nothing twice: the same state gives the same steps", () => {
    const model: Observed = { machines: structuredClone(litter), volumes: [] };
    const groups = groupsOf("web", 2, "app@1");
    const state = { ...model, next: 1 } as Model;
    assert.deepEqual(plan(state, groups), plan(state, groups));
  });
});
