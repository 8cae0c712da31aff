import fc from "fast-check";
import assert from "node:assert/strict";
import { settle, told, toldCutOff } from "../../../cli/recover";
import {
  isRepeatable,
  leftoversOf,
  takeIn,
  verdictOn,
  type ExportedResource,
  type ExportedStack,
} from "../../../cli/recoverState";
import type { Candidate, Search } from "../../../targets/recovery";

const urnOf = (type: string, name: string): string => `urn:pulumi:prod::homeport::homeport:ec2:Host$${type}::${name}`;
const provider = "urn:pulumi:prod::homeport::pulumi:providers:aws::default";

const resource = (type: string, name: string, more: Partial<ExportedResource> = {}): ExportedResource => ({
  ...{ urn: urnOf(type, name), type, custom: true, provider: `${provider}::1234` },
  ...more,
});
const there = (type: string, name: string, id: string): ExportedResource =>
  resource(type, name, { id, outputs: { id } });

const stackOf = (
  resources: readonly ExportedResource[],
  pending: readonly ExportedResource[],
  type = "creating",
): ExportedStack => ({
  deployment: { resources, pending_operations: pending.map((one) => ({ resource: one, type })) },
});

const role = "aws:iam/role:Role";
const candidate = (id: string, more: Partial<Candidate> = {}): Candidate => ({ id, remove: `remove ${id}`, ...more });

describe("what a killed run has left in a stack's state", () => {
  it("are its pending creations, by name, with all that the state says of them", () => {
    const pending = resource(role, "a::b", { inputs: { name: "r" } });
    const [one, ...others] = leftoversOf(stackOf([], [pending])).begun;
    assert.equal(others.length, 0);
    assert.deepEqual(one, {
      urn: pending.urn,
      type: role,
      name: "a::b",
      inputs: { name: "r" },
      resource: pending,
      made: false,
    });
  });

  it("begins no sooner than what it depends on", () => {
    const before = [
      {
        ...resource("pulumi:providers:aws", "default", { id: "1234" }),
        urn: provider,
        created: "2025-01-01T00:00:00Z",
      },
      { ...there(role, "newest", "n"), created: "2025-03-01T00:00:00.5Z" },
      { ...there(role, "unrelated", "u"), created: "2025-09-01T00:00:00Z" },
    ];
    const pending = resource(role, "x", { dependencies: [urnOf(role, "newest"), urnOf(role, "nowhere")] });
    assert.deepEqual(leftoversOf(stackOf(before, [pending])).begun[0]?.since, new Date("2025-03-01T00:00:00.5Z"));
  });

  it("may have been made by a later run, but for what only waits to be deleted", () => {
    const made = (resources: ExportedResource[]) =>
      leftoversOf(stackOf(resources, [resource(role, "a")])).begun[0]?.made;
    assert.equal(made([there(role, "a", "r")]), true);
    assert.equal(made([{ ...there(role, "a", "r"), delete: true }]), false);
  });

  it("are updates, removals and readings, too, which are begun anew or read back", () => {
    const command = "command:local:Command";
    const meansOf = (operation: string, type: string, state = [there(type, "a", "r")]) => {
      const { begun, cutOff } = leftoversOf(stackOf(state, [resource(type, "a")], operation));
      assert.deepEqual(begun, []);
      const [one, ...others] = cutOff;
      assert.deepEqual([others, one?.name, one?.operation], [[], "a", operation]);
      return one?.means;
    };
    assert.deepEqual(
      ["updating", "deleting", "reading", "importing"].map((operation) => meansOf(operation, role)),
      ["read", "read", "leave", "leave"],
    );
    assert.deepEqual(
      ["updating", "deleting", "reading"].map((operation) => meansOf(operation, command)),
      ["run", "leave", "leave"],
    );
    assert.equal(meansOf("updating", "pulumi:providers:aws"), "leave");
    // What the state doesn't have can't be read back.
    assert.equal(meansOf("deleting", role, []), "leave");
    assert.equal(meansOf("deleting", role, [{ ...there(role, "a", "r"), delete: true }]), "leave");
  });

  it("has the next `up` run a command whose update was cut off, and no other", () => {
    const command = "command:local:Command";
    const values = { create: "node driver", environment: { A: "1" } };
    const cut = resource(command, "hotrod-fly", { id: "c", inputs: values, outputs: values });
    const old = { ...cut, delete: true };
    const other = resource(command, "catscan-vps", { id: "d", inputs: values, outputs: values });
    const stack = stackOf([old, cut, other], [cut], "updating");
    const { cutOff } = leftoversOf(stack);
    const settled = settle(takeIn(stack, []), cutOff, new Date("2026-08-01T12:00:00Z"));
    const marked = { ...values, environment: { A: "1", HOMEPORT_REPAIR: "cut off before 2026-08-01T12:00:00.000Z" } };
    assert.deepEqual(settled.deployment?.resources, [old, { ...cut, inputs: marked, outputs: marked }, other]);
    assert.deepEqual(settled.deployment.pending_operations, []);
    assert.deepEqual(cutOff.map(toldCutOff), [
      "hotrod-fly (command:local:Command): its update was cut off: the next `up` does it again",
    ]);
  });

  it("knows what an earlier recovery took in and couldn't read", () => {
    const halves = [resource(role, "a", { id: "r" }), resource(role, "b", { id: "s", outputs: {} })];
    const whole = [there(role, "c", "t"), resource("pulumi:providers:aws", "default", { id: "1234" })];
    assert.deepEqual(leftoversOf(stackOf([...halves, ...whole], [])).unread, [urnOf(role, "a"), urnOf(role, "b")]);
  });

  it("is nothing in a stack that was never deployed", () => {
    const { begun, cutOff, unread } = leftoversOf({});
    assert.deepEqual([begun, cutOff, unread], [[], [], []]);
  });
});

describe("the verdict on a pending creation", () => {
  const none = new Set<string>();
  const among = (...candidates: Candidate[]) => ({ kind: "candidates", candidates }) as const;

  it("is what the search found, less what the state has already", () => {
    const [a, b] = [candidate("a"), candidate("b")];
    const on = (search: Search | undefined, known = none) => verdictOn({ made: false }, search, known);
    assert.deepEqual(on(among(a)), { kind: "found", candidate: a });
    assert.deepEqual(on(among()), { kind: "absent" });
    assert.deepEqual(on(among(a, b)), { kind: "several", candidates: [a, b] });
    assert.deepEqual(on(among(a, b), new Set(["a"])), { kind: "found", candidate: b });
    assert.deepEqual(on(among(a), new Set(["a"])), { kind: "absent" });
    assert.deepEqual(on({ kind: "repeatable" }), { kind: "again" });
    assert.deepEqual(on(undefined), { kind: "unknown" });
  });

  it("takes in no second one of what the state has", () => {
    const made = (search: Search | undefined) => verdictOn({ made: true }, search, new Set(["a"]));
    assert.deepEqual(made(among(candidate("a"))), { kind: "made", surplus: [] });
    assert.deepEqual(made(among(candidate("a"), candidate("b"))), { kind: "made", surplus: [candidate("b")] });
    assert.deepEqual(made(undefined), { kind: "made", surplus: [] });
  });

  it("lets commands, random values and providers be made again, and nothing else", () => {
    for (const type of ["command:local:Command", "random:index/randomId:RandomId", "pulumi:providers:aws"]) {
      assert.ok(isRepeatable({ type }), type);
    }
    for (const type of [role, "commander:x:Y", "randomly"]) assert.ok(!isRepeatable({ type }), type);
  });

  it("tells several with the command that removes each", () => {
    const [begun] = leftoversOf(stackOf([], [resource(role, "a")])).begun;
    assert.ok(begun !== undefined);
    const two = among(candidate("x"), candidate("y"));
    assert.match(
      told({ begun, verdict: verdictOn(begun, two, none) }, "prod"),
      /a \(aws:iam\/role:Role\).* 2 .*\n {2}fix: .*\n {4}remove x\n {4}remove y$/,
    );
    const made = told({ begun, verdict: verdictOn({ made: true }, two, new Set("x")) }, "prod");
    assert.match(made, /the stack has it, and besides.*\n {2}fix: .*\n {4}remove y$/);
    assert.match(
      told({ begun, verdict: { kind: "unknown" } }, "prod"),
      /fix: pulumi refresh --stack prod .*\n {4}pulumi import aws:iam\/role:Role a ID --stack prod$/,
    );
  });
});

describe("a state with what was found", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 12 });

  it("has each resource once, those from before as they were, and nothing pending", () => {
    fc.assert(
      fc.property(names, fc.func(fc.constantFrom("there", "found", "pending")), (all, kindOf) => {
        const of = (kind: string): string[] => all.filter((name) => kindOf(name) === kind);
        const before = of("there").map((name) => there(role, name, name));
        const [found, absent] = [
          of("found").map((one) => resource(role, one)),
          of("pending").map((one) => resource(role, one)),
        ];
        const stack = { ...stackOf(before, [...found, ...absent]), version: 3 };
        const after = takeIn(
          stack,
          found.map((one) => ({ resource: one, candidate: candidate(`id of ${one.urn}`) })),
        );
        assert.equal(after.version, 3);
        const { resources = [], pending_operations } = after.deployment ?? {};
        assert.deepEqual(pending_operations, []);
        assert.deepEqual(resources.slice(0, before.length), before);
        assert.deepEqual(
          resources.slice(before.length),
          found.map((one) => ({ ...one, id: `id of ${one.urn}` })),
        );
        // A recovery that is cut off right here is taken up by the next one, which has nothing else to do.
        const left = leftoversOf(after);
        assert.deepEqual(left.begun, []);
        assert.deepEqual([...left.unread].sort(), found.map(({ urn }) => urn).sort());
      }),
    );
  });

  it("names it as an import does, and begins with the state that it brings", () => {
    const one = resource(role, "a", { inputs: { name: "a" } });
    const brought = candidate("a", { importId: "a@eu-west-1", state: { publicKey: "k" } });
    const after = takeIn(stackOf([], [one]), [{ resource: one, candidate: brought }]);
    assert.deepEqual(after.deployment?.resources, [{ ...one, id: "a@eu-west-1", outputs: { publicKey: "k" } }]);
  });

  it("refers to nothing that a later run has taken away", () => {
    const [gone, stays] = [urnOf(role, "gone"), urnOf(role, "stays")];
    const one = resource(role, "a", {
      parent: gone,
      dependencies: [gone, stays],
      propertyDependencies: { x: [gone], y: [stays] },
    });
    const two = resource(role, "b", { parent: stays, dependencies: [one.urn] });
    const found = [one, two].map((each) => ({ resource: each, candidate: candidate("i") }));
    const [, first, second] =
      takeIn(stackOf([there(role, "stays", "s")], [one, two]), found).deployment?.resources ?? [];
    assert.deepEqual(first, {
      ...resource(role, "a"),
      dependencies: [stays],
      propertyDependencies: { x: [], y: [stays] },
      id: "i",
    });
    assert.deepEqual(second, { ...two, id: "i" });
  });
});
