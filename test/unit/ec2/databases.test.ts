import assert from "node:assert/strict";
import { secret } from "@pulumi/pulumi";
import { Size } from "../../../components/values/size";
import { managedServers, masterUser, storageGib, type ManagedArgs } from "../../../targets/ec2/databases";
import { dataSettings, type DataSettings } from "../../../targets/ec2/dataSettings";
import { promiseOf } from "../../support/mocks";
import { databaseOf, partsOf, register } from "./parts";

const postgres = databaseOf({ name: "db", engine: "postgres", size: Size.gib(10) });
const redis = databaseOf({ name: "queue", engine: "redis" });
const password = () => secret("marker-password-of-32-characters");

const defaults = Object.fromEntries(
  Object.entries(dataSettings).map(([key, { fallback }]) => [key, fallback]),
) as DataSettings;
const managed: DataSettings = { ...defaults, postgres: "rds", redis: "elasticache" };

const make = (database: typeof postgres, args: Partial<ManagedArgs> = {}) =>
  register((parent) =>
    managedServers({
      region: "eu-central-1",
      vpcId: "vpc-1",
      subnetIds: ["subnet-a", "subnet-b"],
      hostGroupId: "sg-hosts",
      settings: managed,
      live: true,
      ...args,
    })(parent, partsOf(), database, password()),
  );
const rds = "aws:rds/instance:Instance";
const cache = "aws:elasticache/replicationGroup:ReplicationGroup";

describe("databases of a host", () => {
  it("are the host's own unless the stack asks for others, and SQLite's always", async () => {
    for (const database of [postgres, redis]) {
      const { made, registered } = await make(database, { settings: defaults });
      assert.equal(made, undefined);
      assert.deepEqual(registered.types, []);
    }
    const sqlite = databaseOf({ name: "db", engine: "sqlite" });
    assert.equal((await make(sqlite)).made, undefined);
  });

  it("are reached by the hosts alone", async () => {
    for (const [database, port] of [
      [postgres, 5432],
      [redis, 6379],
    ] as const) {
      const { registered } = await make(database);
      const rule = registered.inputs("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule");
      assert.deepEqual(
        [rule.referencedSecurityGroupId, rule.fromPort, rule.toPort, rule.cidrIpv4],
        ["sg-hosts", port, port, undefined],
      );
      assert.deepEqual(registered.ofType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"), []);
      const { ingress, egress, vpcId } = registered.inputs("aws:ec2/securityGroup:SecurityGroup");
      assert.deepEqual([ingress, egress, vpcId], [undefined, undefined, "vpc-1"]);
    }
  });
});

describe("PostgreSQL on RDS", () => {
  it("is encrypted, private, and the app's alone", async () => {
    const { made, registered } = await make(postgres);
    const server = registered.inputs(rds);
    assert.deepEqual(
      [
        server.storageEncrypted,
        server.publiclyAccessible,
        server.engine,
        server.engineVersion,
        server.caCertIdentifier,
      ],
      [true, false, "postgres", "17", "rds-ca-rsa2048-g1"],
    );
    assert.deepEqual(server.vpcSecurityGroupIds, ["sg-catscan-db-access"]);
    assert.deepEqual([server.identifier, server.dbName], ["homeport-prod-catscan-db", "catscan_prod__db"]);
    assert.ok(made !== undefined);
    assert.deepEqual(await promiseOf(made), {
      address: "catscan-db.example.com",
      port: 5432,
      user: "catscan_prod__db",
      tls: true,
    });
  });

  it("costs as little as it can: one small machine in one zone, the least storage, which grows by itself", async () => {
    const { registered } = await make(postgres);
    const { multiAz, instanceClass, storageType, allocatedStorage, maxAllocatedStorage } = registered.inputs(rds);
    assert.deepEqual(
      { multiAz, instanceClass, storageType, allocatedStorage, maxAllocatedStorage },
      {
        multiAz: false,
        instanceClass: "db.t4g.micro",
        storageType: "gp3",
        allocatedStorage: 20,
        maxAllocatedStorage: 40,
      },
    );
  });

  it("of a live stack is kept: protected twice, saved for 14 days, and once more when it goes", async () => {
    const { registered } = await make(postgres);
    const server = registered.inputs(rds);
    assert.equal(registered.options(rds, "catscan-db")?.protect, true);
    assert.deepEqual(
      [
        server.deletionProtection,
        server.backupRetentionPeriod,
        server.skipFinalSnapshot,
        server.deleteAutomatedBackups,
      ],
      [true, 14, false, false],
    );
    assert.equal(server.finalSnapshotIdentifier, "homeport-prod-catscan-db-last-0a1b2c3d");
  });

  it("of another stack goes with it, and is saved for 7 days", async () => {
    const { registered } = await make(postgres, { live: false });
    const server = registered.inputs(rds);
    assert.equal(registered.options(rds, "catscan-db")?.protect, false);
    assert.deepEqual(
      [
        server.deletionProtection,
        server.backupRetentionPeriod,
        server.skipFinalSnapshot,
        server.finalSnapshotIdentifier,
      ],
      [false, 7, true, undefined],
    );
  });

  it("has a user within RDS's 16 characters, another for each database", () => {
    assert.equal(masterUser("hotrod_prod__db"), "hotrod_prod__db");
    const long = ["tileshop_prod__db", "tileshop_prod__db2"].map(masterUser);
    for (const user of long) assert.match(user, /^[a-z][a-z0-9_]{0,15}$/);
    assert.notEqual(long[0], long[1]);
  });

  it("has the storage that the app declares or the stack asks for, whichever is more", () => {
    assert.equal(storageGib(undefined, undefined), 20);
    assert.equal(storageGib(Size.gib(10), undefined), 20);
    assert.equal(storageGib(Size.gib(50), Size.gib(30)), 50);
    assert.equal(storageGib(Size.gib(50), Size.gib(80)), 80);
    assert.equal(storageGib(Size.mib(20.5 * 1024), undefined), 21);
  });
});

describe("Redis on ElastiCache", () => {
  it("is encrypted at rest and on its way, and asks for the password", async () => {
    const { made, registered } = await make(redis);
    const server = registered.inputs(cache);
    assert.deepEqual(
      [server.engine, server.atRestEncryptionEnabled, server.transitEncryptionEnabled, server.numCacheClusters],
      ["valkey", true, true, 1],
    );
    assert.deepEqual((server.authToken as { value: string }).value, "marker-password-of-32-characters");
    assert.ok(made !== undefined);
    assert.deepEqual(await promiseOf(made), {
      address: "catscan-queue.example.com",
      port: 6379,
      user: "default",
      tls: true,
    });
  });

  it("loses no job when its memory is full", async () => {
    const { registered } = await make(redis);
    assert.deepEqual(registered.inputs("aws:elasticache/parameterGroup:ParameterGroup").parameters, [
      { name: "maxmemory-policy", value: "noeviction" },
    ]);
  });

  it("of a live stack is protected and saved", async () => {
    const { registered } = await make(redis);
    const { snapshotRetentionLimit, finalSnapshotIdentifier } = registered.inputs(cache);
    assert.equal(registered.options(cache, "catscan-queue")?.protect, true);
    assert.deepEqual(
      [snapshotRetentionLimit, finalSnapshotIdentifier],
      [7, "homeport-prod-catscan-queue-last-0a1b2c3d"],
    );
    const other = await make(redis, { live: false });
    assert.deepEqual(other.registered.inputs(cache).snapshotRetentionLimit, 0);
  });
});

describe("the settings of databases", () => {
  const { databaseClass, cacheClass, databaseSize } = dataSettings;

  it("take classes and sizes of the right form", () => {
    assert.equal(databaseClass.parse("db.m7g.2xlarge"), "db.m7g.2xlarge");
    assert.equal(cacheClass.parse("cache.t4g.small"), "cache.t4g.small");
    assert.equal(databaseSize.parse("50 GiB")?.toMib(), 51200);
  });

  it("refuse others, and say what would be right", () => {
    assert.throws(() => databaseClass.parse("t4g.micro"), /isn't a class such as db\.t4g\.micro/);
    assert.throws(() => databaseClass.parse("db.t4g.mikro"), /isn't a class/);
    assert.throws(() => cacheClass.parse("db.t4g.micro"), /such as cache\.t4g\.micro/);
    assert.throws(() => databaseSize.parse("10 GiB"), /from 20 GiB up/);
    assert.throws(() => databaseSize.parse("20.5 GiB"), /whole GiB/);
  });
});
