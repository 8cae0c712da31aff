import type { Instance } from "@aws-sdk/client-ec2";
import assert from "node:assert/strict";
import { endOrphans, orphansAmong } from "../../../drivers/ec2/orphans";

const machine = { instanceId: "i-new", host: "catscan", stack: "prod", generation: 1 };
const instance = (id: string, more: Partial<Instance> = {}, tags: Record<string, string> = {}): Instance => ({
  InstanceId: id,
  RootDeviceName: "/dev/xvda",
  BlockDeviceMappings: [{ DeviceName: "/dev/xvda" }],
  Tags: Object.entries({ "homeport:stack": "prod", "homeport:host": "catscan", ...tags }).map(([Key, Value]) => ({
    Key,
    Value,
  })),
  ...more,
});
const withDisk = { BlockDeviceMappings: [{ DeviceName: "/dev/xvda" }, { DeviceName: "/dev/sdf" }] };
const ids = (instances: readonly Instance[]) => instances.map(({ InstanceId }) => InstanceId);

describe("machines that a run which was cut off has left", () => {
  it("are those of the host that have neither its address nor its disk, but for its own", () => {
    const all = [
      instance("i-new"),
      instance("i-left"),
      instance("i-with-disk", withDisk),
      instance("i-with-address"),
      instance("i-of-another-host", {}, { "homeport:host": "shopifly" }),
      instance("i-of-another-stack", {}, { "homeport:stack": "dev" }),
      instance("i-of-nobody", { Tags: [] }),
    ];
    assert.deepEqual(ids(orphansAmong(all, [{ InstanceId: "i-with-address" }], machine)), ["i-left"]);
  });

  it("are of the generation that is made: the machine before is the engine's to end", () => {
    const second = instance("i-left", {}, { "homeport:generation": "2" });
    assert.deepEqual(ids(orphansAmong([instance("i-before"), second], [], { ...machine, generation: 2 })), ["i-left"]);
    assert.deepEqual(ids(orphansAmong([instance("i-before"), second], [], machine)), ["i-before"]);
  });

  it("are told, freed of their protection and ended", async () => {
    const sent: string[] = [];
    const told: string[] = [];
    const client = {
      send: (command: { constructor: { name: string }; input: object }) => {
        const name = command.constructor.name.replace("Command", "");
        if (!name.startsWith("Describe")) sent.push(`${name} ${JSON.stringify(command.input)}`);
        const found = { Reservations: [{ Instances: [instance("i-new"), instance("i-left")] }], Addresses: [] };
        return Promise.resolve(name.startsWith("Describe") ? found : {});
      },
    } as unknown as Parameters<typeof endOrphans>[0];
    const signal = new AbortController().signal;
    await endOrphans(client, machine, { progress: (line) => told.push(line), signal, project: "/" });
    assert.deepEqual(sent, [
      'ModifyInstanceAttribute {"InstanceId":"i-left","DisableApiTermination":{"Value":false}}',
      'TerminateInstances {"InstanceIds":["i-left"]}',
    ]);
    assert.deepEqual(told, ["catscan: ends i-left, which a run that was cut off has left"]);
  });
});
