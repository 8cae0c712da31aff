import assert from "node:assert/strict";
import { output } from "@pulumi/pulumi";
import { Duration } from "../../../components/values/duration";
import { planBucket } from "../../../drivers/s3/plan";
import { parseSpec } from "../../../drivers/s3/spec";
import type { StackConfig } from "../../../components/settings";
import { awsConnection, deployerOf } from "../../../targets/ec2/awsConfig";
import { archiveOnS3, bucketPattern, lifecycleRules, type ArchiveArgs } from "../../../targets/ec2/archive";
import { checkArchiveTimes } from "../../../targets/ec2/checkArchives";
import { tlsOnlyPolicy } from "../../../targets/ec2/policies/host";
import { promiseOf } from "../../support/mocks";
import { bucketOf, partsOf, register } from "./parts";

const role = { profileName: output("profile"), roleName: output("role"), granted: output("role") };
const region = "eu-central-1";
const archive = (args: Partial<ArchiveArgs> = {}, fields = {}, existing?: Record<string, string>) =>
  register((parent) =>
    archiveOnS3({ region, role, live: true, ...args })(
      parent,
      partsOf(existing === undefined ? {} : { existing }),
      bucketOf(fields),
    ),
  );
const s3 = (name: string) => `aws:s3/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
const bare = {
  tags: undefined,
  publicAccess: undefined,
  ownership: undefined,
  encryption: undefined,
  versioning: undefined,
  policy: undefined,
  lifecycle: undefined,
};

describe("a new archive on S3", () => {
  it("has a name of its own, is the host's region's, and is never emptied or deleted", async () => {
    const { made, registered } = await archive();
    const { bucket, forceDestroy, tags, ...rest } = registered.inputs(s3("Bucket"));
    assert.equal(bucket, "catscan-prod--archive-0a1b2c3d");
    assert.deepEqual({ forceDestroy, region: rest.region }, { forceDestroy: false, region });
    assert.deepEqual(tags, { "homeport:app": "catscan", "homeport:stack": "prod", "homeport:bucket": "archive" });
    // Neither does it keep its app from moving elsewhere, nor is it the bucket that the app has had there.
    const { protect, retainOnDelete } = registered.options(s3("Bucket"), "catscan-archive") ?? {};
    assert.deepEqual({ protect, retainOnDelete }, { protect: false, retainOnDelete: true });
    assert.notEqual(registered.options("random:index/randomId:RandomId", "catscan-archive-s3-id"), undefined);
    assert.deepEqual(await promiseOf(made), { bucket: "catscan-archive-id", region });
  });

  it("is closed, versioned, encrypted, without access lists, and spoken to over TLS alone", async () => {
    const { registered } = await archive();
    const { blockPublicAcls, blockPublicPolicy, ignorePublicAcls, restrictPublicBuckets } = registered.inputs(
      s3("BucketPublicAccessBlock"),
    );
    assert.deepEqual(
      [blockPublicAcls, blockPublicPolicy, ignorePublicAcls, restrictPublicBuckets],
      [true, true, true, true],
    );
    assert.deepEqual(registered.inputs(s3("BucketVersioning")).versioningConfiguration, { status: "Enabled" });
    assert.deepEqual(registered.inputs(s3("BucketServerSideEncryptionConfiguration")).rules, [
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, bucketKeyEnabled: true },
    ]);
    assert.deepEqual(registered.inputs(s3("BucketOwnershipControls")).rule, { objectOwnership: "BucketOwnerEnforced" });
    const [statement, ...more] = registered.policy("catscan-archive-policy").Statement;
    assert.deepEqual(more, []);
    assert.deepEqual(
      [statement?.["Effect"], statement?.["Condition"]],
      ["Deny", { Bool: { "aws:SecureTransport": "false" } }],
    );
  });

  it("keeps its settings while it is kept", async () => {
    const { registered } = await archive();
    for (const { type, name } of registered
      .ofType(s3("BucketPublicAccessBlock"))
      .concat(registered.ofType(s3("BucketPolicy")))) {
      assert.equal(registered.options(type, name)?.retainOnDelete, true);
    }
  });

  it("gets cold when the app says so, never expires by itself, and drops uploads that were cut off", () => {
    assert.deepEqual(lifecycleRules({ coldAfter: Duration.days(30) }), [
      {
        id: "homeport-incomplete-uploads",
        status: "Enabled",
        filter: { prefix: "" },
        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
      },
      {
        id: "homeport-cold",
        status: "Enabled",
        filter: { prefix: "" },
        transitions: [{ days: 30, storageClass: "STANDARD_IA" }],
      },
    ]);
    assert.deepEqual(
      lifecycleRules({}).map(({ id }) => id),
      ["homeport-incomplete-uploads"],
    );
    assert.deepEqual(lifecycleRules({ expireAfter: Duration.days(90) })[1], {
      id: "homeport-expire",
      status: "Enabled",
      filter: { prefix: "" },
      expiration: { days: 90 },
    });
  });

  it("is what the driver of other targets makes", () => {
    const wish = { name: "some-bucket", tags: { a: "b" }, onDelete: "keep", coldAfterDays: 30 };
    const { changes } = planBucket(parseSpec({ connection: { region }, bucket: wish }), bare);
    const policy = changes.find((change) => change.feature === "policy");
    assert.deepEqual(policy?.policy, tlsOnlyPolicy("some-bucket", region));
    // One part for each change besides the tags.
    assert.deepEqual(changes.map(({ feature }) => feature).sort(), [
      "encryption",
      "lifecycle",
      "ownership",
      "policy",
      "public access block",
      "tags",
      "versioning",
    ]);
  });
});

describe("an archive that exists", () => {
  const name = "rtbcat-csv-archive-frankfurt-328614522524";
  const adopt = (args: Partial<ArchiveArgs> = {}) => archive(args, { coldAfter: Duration.days(30) }, { archive: name });

  it("is neither made nor deleted, and gets what is declared by the driver, which keeps what is there", async () => {
    const { registered } = await adopt();
    assert.deepEqual(
      registered.types.filter((type) => type.startsWith("aws:s3/")),
      [],
    );
    const { stdin, create } = registered.inputs("command:local:Command");
    assert.match(String(create), / s3 bucket apply$/);
    const { bucket, connection } = JSON.parse((stdin as { value: string }).value) as Record<
      string,
      Record<string, unknown>
    >;
    assert.deepEqual(bucket, {
      name,
      adopt: true,
      tags: { "homeport:app": "catscan", "homeport:stack": "prod", "homeport:bucket": "archive" },
      coldAfterDays: 30,
      onDelete: "keep",
    });
    assert.deepEqual(connection, { region });
  });

  it("is reached with the deployer's key or profile, the key nowhere but in a secret", async () => {
    const deployer = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "marker-secret" };
    const { registered } = await adopt({ deployer, profile: "ops" });
    const { stdin, ...shown } = registered.inputs("command:local:Command");
    assert.match((stdin as { value: string }).value, /marker-secret/);
    assert.deepEqual(shown.environment, { HOMEPORT_BUCKET: name, AWS_PROFILE: "ops" });
    assert.doesNotMatch(JSON.stringify(shown), /marker-secret/);
  });
});

describe("the deployer's key of an archive that exists", () => {
  const entries = (values: Record<string, string>): StackConfig => ({
    stack: "prod",
    entries: new Map(Object.entries(values).map(([key, value]) => [`aws:${key}`, { value, secret: false }])),
  });

  it("is the aws provider's, with the token of a temporary one", async () => {
    const config = entries({ region, accessKey: "ASIAEXAMPLE", secretKey: "marker-secret", token: "marker-token" });
    const { registered } = await archive(deployerOf(awsConnection(config)), {}, { archive: "theirs" });
    const { stdin, ...shown } = registered.inputs("command:local:Command");
    const { connection } = JSON.parse((stdin as { value: string }).value) as { connection: object };
    assert.deepEqual(connection, {
      region,
      accessKeyId: "ASIAEXAMPLE",
      secretAccessKey: "marker-secret",
      sessionToken: "marker-token",
    });
    assert.doesNotMatch(JSON.stringify(shown), /marker/);
  });

  it("has no token where the stack has none", () => {
    const config = entries({ region, accessKey: "AKIAEXAMPLE", secretKey: "marker-secret" });
    assert.deepEqual(deployerOf(awsConnection(config)), {
      deployer: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "marker-secret" },
    });
  });
});

describe("the right to an archive", () => {
  it("is to list, read and write in that bucket, and not to delete", async () => {
    const { registered } = await archive();
    assert.equal(registered.inputs("aws:iam/rolePolicy:RolePolicy").role, "role");
    const arn = "arn:aws:s3:::catscan-archive-id";
    assert.deepEqual(
      registered.policy("catscan-archive-grant").Statement.map(({ Action, Resource }) => [Action, Resource]),
      [
        [["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], arn],
        [["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"], `${arn}/*`],
      ],
    );
  });

  it("is a key where the machine has no role", async () => {
    const key = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" };
    const { made, registered } = await register((parent) =>
      archiveOnS3({ region, live: false, key })(parent, partsOf(), bucketOf()),
    );
    assert.deepEqual(registered.ofType("aws:iam/rolePolicy:RolePolicy"), []);
    assert.deepEqual((await promiseOf(made)).key, key);
  });
});

describe("names of archives in policies", () => {
  it("are patterns that only buckets of this app, stack and archive fit, or the bucket that exists", () => {
    assert.equal(bucketPattern(partsOf(), bucketOf()), "catscan-prod--archive-*");
    assert.equal(bucketPattern(partsOf({ existing: { archive: "theirs" } }), bucketOf()), "theirs");
  });
});

describe("the check of archives", () => {
  const check = (fields: object) =>
    checkArchiveTimes(partsOf({ buckets: [bucketOf(fields)] })).map(({ where }) => where);

  it("refuses what S3 would refuse in the middle of a deploy", () => {
    assert.deepEqual(check({ coldAfter: Duration.days(29) }), ["catscan.archive.coldAfter"]);
    assert.deepEqual(check({ coldAfter: Duration.days(30), expireAfter: Duration.days(30) }), [
      "catscan.archive.expireAfter",
    ]);
  });

  it("lets the rest pass", () => {
    assert.deepEqual(check({}), []);
    assert.deepEqual(check({ coldAfter: Duration.days(30), expireAfter: Duration.days(31) }), []);
    assert.deepEqual(check({ expireAfter: Duration.days(1) }), []);
  });
});
