import { createHash } from "node:crypto";
import { SecurityGroup } from "@pulumi/aws/ec2";
import { ParameterGroup, ReplicationGroup, SubnetGroup as CacheSubnetGroup } from "@pulumi/aws/elasticache";
import { Instance, SubnetGroup } from "@pulumi/aws/rds";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc";
import { output, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Database } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { databaseName } from "../../components/values/names";
import { Size } from "../../components/values/size";
import type { SystemdPlace } from "../systemd/home";
import type { PlannedServer } from "../systemd/plan";
import type { DataSettings } from "./dataSettings";
import { awsName } from "./names";

export interface ManagedArgs {
  readonly region: string;
  readonly vpcId: Input<string>;
  /** Subnets in at least two zones, which RDS asks for also where an instance lives in one. */
  readonly subnetIds: Input<Input<string>[]>;
  /** Security group of the hosts; nobody else may connect. */
  readonly hostGroupId: Input<string>;
  readonly settings: DataSettings;
  /** Longer backups, a last snapshot, and protection from being deleted. */
  readonly live: boolean;
}

type ServerOf = NonNullable<SystemdPlace["server"]>;

/** Makes the servers that the stack doesn't want on its hosts: RDS for PostgreSQL, ElastiCache for Redis. */
export function managedServers(args: ManagedArgs): ServerOf {
  return (parent, app, database, password) => {
    if (database.engine === "postgres" && args.settings.postgres === "rds")
      return postgres(args, { parent, app, database, password });
    if (database.engine === "redis" && args.settings.redis === "elasticache")
      return redis(args, { parent, app, database, password });
    return undefined;
  };
}

/** What every server needs: names, a group that lets the hosts in, a last snapshot's name. */
interface Wanted {
  readonly parent: ComponentResource;
  readonly app: ResolvedApp;
  readonly database: Database;
  readonly password: Output<string>;
}

function surroundings(args: ManagedArgs, { parent, app, database }: Wanted, port: number, limit: number) {
  const { region, live } = args;
  const { name } = app.declaration;
  const label = `${name}-${database.name}`;
  const physical = awsName(app.stack, [name, database.name], limit);
  const tags = {
    Name: physical,
    "homeport:stack": app.stack,
    "homeport:app": name,
    "homeport:database": database.name,
  };
  const options = { parent };
  const group = new SecurityGroup(
    `${label}-access`,
    {
      region,
      name: `${physical}-access`,
      description: `Who may reach ${label}`,
      vpcId: args.vpcId,
      tags,
    },
    options,
  );
  new SecurityGroupIngressRule(
    `${label}-hosts`,
    {
      region,
      securityGroupId: group.id,
      referencedSecurityGroupId: args.hostGroupId,
      ipProtocol: "tcp",
      fromPort: port,
      toPort: port,
      description: "The stack's hosts",
      tags,
    },
    options,
  );
  // A name of its own each: a snapshot outlives its server, and the next one's can't have the same.
  const lastSnapshot = live
    ? new random.RandomId(`${label}-last`, { byteLength: 4 }, options).hex.apply((hex) => `${physical}-last-${hex}`)
    : undefined;
  return { region, label, physical, tags, options, group, lastSnapshot };
}

/** Least that RDS sells of gp3 (RDS user guide, "Amazon RDS DB instance storage"). */
const leastStorage = Size.gib(20);

/** GiB, rounded up. */
export function storageGib(declared: Size | undefined, wanted: Size | undefined): number {
  const bytes = [declared, wanted, leastStorage].map((size) => size?.toBytes() ?? 0);
  return Math.ceil(Math.max(...bytes) / Size.gib(1).toBytes());
}

/**
 * The user of a database on RDS: its name, cut to the 16 letters, digits and underscores that the API reference gives as
 * a master user's limit (CreateDBInstance, MasterUsername).
 */
export function masterUser(database: string): string {
  if (database.length <= 16) return database;
  return `${database.slice(0, 9)}_${createHash("sha256").update(database).digest("hex").slice(0, 6)}`;
}

function postgres(args: ManagedArgs, wanted: Wanted): Output<PlannedServer> {
  const { app, database, password } = wanted;
  const { settings, live } = args;
  // Less than RDS's 63 characters, as the last snapshot's name is longer.
  const { region, label, physical, tags, options, group, lastSnapshot } = surroundings(args, wanted, 5432, 45);
  const subnets = new SubnetGroup(
    `${label}-subnets`,
    { region, name: physical, description: `Subnets of ${label}`, subnetIds: args.subnetIds, tags },
    options,
  );
  const name = databaseName(app.declaration.name, app.stack, database.name);
  const user = masterUser(name);
  const storage = storageGib(database.engine === "postgres" ? database.size : undefined, settings.databaseSize);
  const server = new Instance(
    label,
    {
      region,
      identifier: physical,
      engine: "postgres",
      // The major version alone: minor ones come by themselves in the maintenance window. From 15 on, rds.force_ssl is on by
      // itself (RDS user guide, "Requiring an SSL connection"), and the vector extension is there from 15.2 on.
      engineVersion: settings.postgresVersion,
      autoMinorVersionUpgrade: true,
      instanceClass: settings.databaseClass,
      dbName: name,
      username: user,
      password,
      port: 5432,
      storageType: "gp3",
      allocatedStorage: storage,
      // Grows by itself, as a server whose disk is full stops.
      maxAllocatedStorage: storage * 2,
      storageEncrypted: true,
      caCertIdentifier: "rds-ca-rsa2048-g1",
      dbSubnetGroupName: subnets.name,
      vpcSecurityGroupIds: [group.id],
      publiclyAccessible: false,
      multiAz: false,
      backupRetentionPeriod: live ? 14 : 7,
      copyTagsToSnapshot: true,
      deleteAutomatedBackups: !live,
      deletionProtection: live,
      skipFinalSnapshot: !live,
      ...(lastSnapshot === undefined ? {} : { finalSnapshotIdentifier: lastSnapshot }),
      tags,
    },
    { ...options, protect: live },
  );
  return server.address.apply((address) => ({ address, port: 5432, user, tls: true }));
}

function redis(args: ManagedArgs, wanted: Wanted): Output<PlannedServer> {
  const { settings, live } = args;
  // ElastiCache takes 40 characters for a group (ElastiCache API reference, CreateReplicationGroup).
  const { region, label, physical, tags, options, group, lastSnapshot } = surroundings(args, wanted, 6379, 40);
  const subnets = new CacheSubnetGroup(
    `${label}-subnets`,
    { region, name: physical, description: `Subnets of ${label}`, subnetIds: args.subnetIds, tags },
    options,
  );
  const parameters = new ParameterGroup(
    `${label}-parameters`,
    {
      region,
      name: physical,
      family: "valkey8",
      description: `Settings of ${label}`,
      // As on hosts: a queue must be told that memory is full, not lose its jobs.
      parameters: [{ name: "maxmemory-policy", value: "noeviction" }],
      tags,
    },
    options,
  );
  const server = new ReplicationGroup(
    label,
    {
      region,
      replicationGroupId: physical,
      description: `${label} of stack ${wanted.app.stack}`,
      engine: "valkey",
      engineVersion: "8.0",
      autoMinorVersionUpgrade: true,
      nodeType: settings.cacheClass,
      numCacheClusters: 1,
      automaticFailoverEnabled: false,
      multiAzEnabled: false,
      port: 6379,
      parameterGroupName: parameters.name,
      subnetGroupName: subnets.name,
      securityGroupIds: [group.id],
      atRestEncryptionEnabled: true,
      transitEncryptionEnabled: true,
      authToken: wanted.password,
      snapshotRetentionLimit: live ? 7 : 0,
      ...(lastSnapshot === undefined ? {} : { finalSnapshotIdentifier: lastSnapshot }),
      tags,
    },
    { ...options, protect: live },
  );
  return output(server.primaryEndpointAddress).apply((address) => ({
    address,
    port: 6379,
    user: "default",
    tls: true,
  }));
}
