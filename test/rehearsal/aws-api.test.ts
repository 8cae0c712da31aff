import * as budgets from "@aws-sdk/client-budgets";
import * as dlm from "@aws-sdk/client-dlm";
import * as ec2 from "@aws-sdk/client-ec2";
import * as elasticache from "@aws-sdk/client-elasticache";
import * as iam from "@aws-sdk/client-iam";
import * as s3 from "@aws-sdk/client-s3";
import * as ssm from "@aws-sdk/client-ssm";
import * as sts from "@aws-sdk/client-sts";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Aws, Site } from "../../rehearsal/site";
import { openSite } from "../../rehearsal/site";
import { clientOptions, debian, imageOf, launchIn, region } from "./support/aws";

describe("AWS's API on this machine", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-aws-api-"));
  let site: Site;
  let aws: Aws;
  let client: ec2.EC2Client;
  const options = (more: object = {}) => ({ ...clientOptions(aws), ...more });
  const launch = (wish: Partial<ec2.RunInstancesCommandInput> = {}): Promise<string> => launchIn(aws, client, wish);
  const image = (name: string): Promise<string> => imageOf(aws, name);

  before(async () => {
    site = await openSite({ log: () => undefined, folder });
    aws = await site.aws();
    client = new ec2.EC2Client(options());
  });
  after(async () => {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("resolves the public parameters to images, and one that moves to a newer one", async () => {
    const names = [
      ["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", /^al2023-ami-2023/],
      [debian, /^debian-13-amd64/],
      ["/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", /ubuntu-noble-24.04/],
    ] as const;
    for (const [name, pattern] of names) {
      const old = await image(name);
      const moved = await aws.moveImage(name, region);
      assert.notEqual(moved, old);
      assert.equal(await image(name), moved);
      const { Images } = await client.send(new ec2.DescribeImagesCommand({ ImageIds: [old, moved] }));
      assert.equal(Images?.length, 2);
      for (const one of Images) assert.match(one.Name ?? "", pattern);
    }
    await assert.rejects(launch({ ImageId: "ami-0123456789abcdef0" }), { name: "InvalidAMIID.NotFound" });
  });

  it("goes wrong on demand, each service in its own words, and gives a repeated call its first answer", async () => {
    await aws.clearCalls();
    await aws.fault({ action: "DescribeInstances", kind: "throttled", times: 2 });
    for (let time = 0; time < 2; time++)
      await assert.rejects(client.send(new ec2.DescribeInstancesCommand({})), { name: "RequestLimitExceeded" });
    await client.send(new ec2.DescribeInstancesCommand({}));
    const bystander = new ssm.SSMClient(options());
    await aws.fault({ action: "GetParameter", kind: "throttled" });
    await assert.rejects(bystander.send(new ssm.GetParameterCommand({ Name: debian })), {
      name: "ThrottlingException",
    });
    const teller = new sts.STSClient(options());
    await aws.fault({ action: "GetCallerIdentity", kind: "server error" });
    await assert.rejects(teller.send(new sts.GetCallerIdentityCommand({})), { name: "InternalError" });
    const store = new s3.S3Client(options({ forcePathStyle: true }));
    await aws.fault({ action: "PUT /bucket", kind: "throttled" });
    await assert.rejects(store.send(new s3.CreateBucketCommand({ Bucket: "bucket" })), { name: "SlowDown" });
    await aws.fault({ action: "RunInstances", kind: "no capacity" });
    await assert.rejects(launch(), { name: "InsufficientInstanceCapacity" });
    const instances = async (): Promise<(string | undefined)[]> =>
      ((await client.send(new ec2.DescribeInstancesCommand({}))).Reservations ?? []).flatMap(({ Instances = [] }) =>
        Instances.map((one) => one.InstanceId),
      );
    const before = await instances();
    const ClientToken = "once";
    await aws.fault({ action: "RunInstances", kind: "answer lost" });
    await assert.rejects(launch({ ClientToken }));
    const id = await launch({ ClientToken });
    assert.deepEqual(
      (await instances()).filter((one) => !before.includes(one)),
      [id],
    );
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    const seen = (await aws.calls()).filter(({ action }) => action === "RunInstances").map(({ status }) => status);
    assert.deepEqual(seen, [500, 200, 200]);
  });

  it("passes S3 through as it is", async () => {
    const store = new s3.S3Client(options({ forcePathStyle: true }));
    await store.send(
      new s3.CreateBucketCommand({ Bucket: "plain", CreateBucketConfiguration: { LocationConstraint: region } }),
    );
    const Body = Buffer.alloc(3_000_000, "x");
    await store.send(
      new s3.PutObjectCommand({ Bucket: "plain", Key: "a b/ü.csv", Body, Metadata: { snake_case: "1" } }),
    );
    const got = await store.send(new s3.GetObjectCommand({ Bucket: "plain", Key: "a b/ü.csv" }));
    assert.equal(Buffer.compare(Buffer.from((await got.Body?.transformToByteArray()) ?? []), Body), 0);
    assert.deepEqual(got.Metadata, { snake_case: "1" });
  });

  it("has what moto lacks, and says of the rest that it isn't there", async () => {
    const admin = new iam.IAMClient(options());
    const created = await admin.send(new iam.CreateRoleCommand({ RoleName: "keeper", AssumeRolePolicyDocument: "{}" }));
    const PolicyArn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";
    await admin.send(new iam.AttachRolePolicyCommand({ RoleName: "keeper", PolicyArn }));

    const keeper = new dlm.DLMClient(options());
    const ExecutionRoleArn = created.Role?.Arn;
    const daily = {
      Name: "daily",
      CreateRule: { Interval: 24, IntervalUnit: "HOURS" as const },
      RetainRule: { Count: 7 },
    };
    const PolicyDetails = {
      ResourceTypes: ["VOLUME" as const],
      TargetTags: [{ Key: "a", Value: "b" }],
      Schedules: [daily],
    };
    const wish = { ExecutionRoleArn, Description: "daily", State: "ENABLED" as const, PolicyDetails };
    const { PolicyId } = await keeper.send(new dlm.CreateLifecyclePolicyCommand({ ...wish, Tags: { k: "v" } }));
    await keeper.send(new dlm.UpdateLifecyclePolicyCommand({ PolicyId, State: "DISABLED" }));
    const { Policy } = await keeper.send(new dlm.GetLifecyclePolicyCommand({ PolicyId }));
    assert.deepEqual([Policy?.State, Policy?.PolicyDetails, Policy?.Tags], ["DISABLED", PolicyDetails, { k: "v" }]);
    const stranger = new dlm.CreateLifecyclePolicyCommand({ ...wish, ExecutionRoleArn: `${ExecutionRoleArn ?? ""}x` });
    await assert.rejects(keeper.send(stranger), { name: "InvalidRequestException" });
    await keeper.send(new dlm.DeleteLifecyclePolicyCommand({ PolicyId }));
    await assert.rejects(keeper.send(new dlm.GetLifecyclePolicyCommand({ PolicyId })), {
      name: "ResourceNotFoundException",
    });

    const counter = new budgets.BudgetsClient(options({ region: "us-east-1" }));
    const AccountId = "123456789012";
    const Notification = { NotificationType: "ACTUAL", ComparisonOperator: "GREATER_THAN", Threshold: 80 } as const;
    const Subscribers = [{ SubscriptionType: "EMAIL", Address: "me@example.com" } as const];
    const BudgetLimit = { Amount: "5", Unit: "USD" };
    const Budget = { BudgetName: "all", BudgetLimit, TimeUnit: "MONTHLY", BudgetType: "COST" } as const;
    const NotificationsWithSubscribers = [{ Notification, Subscribers }];
    await counter.send(new budgets.CreateBudgetCommand({ AccountId, Budget, NotificationsWithSubscribers }));
    const asked = { AccountId, BudgetName: "all", Notification };
    const told = await counter.send(new budgets.DescribeSubscribersForNotificationCommand(asked));
    assert.deepEqual(told.Subscribers, Subscribers);
    const NewBudget = { ...Budget, BudgetLimit: { Amount: "9", Unit: "USD" } };
    await counter.send(new budgets.UpdateBudgetCommand({ AccountId, NewBudget }));
    const now = await counter.send(new budgets.DescribeBudgetCommand({ AccountId, BudgetName: "all" }));
    assert.equal(now.Budget?.BudgetLimit?.Amount, "9");
    const kinds = new budgets.DescribeBudgetActionsForAccountCommand({ AccountId });
    await assert.rejects(counter.send(kinds), { name: "NotImplemented" });

    const cacher = new elasticache.ElastiCacheClient(options());
    const cache = {
      ReplicationGroupId: "cache",
      ReplicationGroupDescription: "cache",
      CacheNodeType: "cache.t4g.micro",
    };
    await cacher.send(
      new elasticache.CreateReplicationGroupCommand({ ...cache, Engine: "redis", NumCacheClusters: 1 }),
    );
    const { ReplicationGroupId } = cache;
    await cacher.send(new elasticache.DeleteReplicationGroupCommand({ ReplicationGroupId }));
    await assert.rejects(cacher.send(new elasticache.DescribeReplicationGroupsCommand({ ReplicationGroupId })), {
      name: "ReplicationGroupNotFoundFault",
    });
  });
});
