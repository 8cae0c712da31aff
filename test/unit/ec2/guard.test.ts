import assert from "node:assert/strict";
import fc from "fast-check";
import { checkResource } from "../../../targets/ec2/guard/check";
import { isEveryone } from "../../../targets/ec2/guard/network";
import { unknown, type Props } from "../../../targets/ec2/guard/rule";

const check = (type: string, props: Props) => checkResource(type, "it", props).map(({ what }) => what);
const passes = (type: string, props: Props) => {
  assert.deepEqual(check(type, props), []);
};
const refuses = (type: string, props: Props, what: RegExp) => {
  const found = check(type, props);
  assert.equal(found.length, 1, JSON.stringify(found));
  assert.match(found[0] ?? "", what);
};

const ingress = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const oldRule = "aws:ec2/securityGroupRule:SecurityGroupRule";
const group = "aws:ec2/securityGroup:SecurityGroup";
const ssh = { ipProtocol: "tcp", fromPort: 22, toPort: 22, cidrIpv4: "0.0.0.0/0" };

describe("the rule on SSH", () => {
  const everyone = /lets everyone/;

  it("refuses port 22 for everyone, by IPv4 and IPv6, alone and in a range, by name, number and by leaving ports out", () => {
    refuses(ingress, ssh, /0\.0\.0\.0\/0.*port 22/);
    refuses(ingress, { ...ssh, cidrIpv4: undefined, cidrIpv6: "::/0" }, /::\/0/);
    refuses(ingress, { ...ssh, fromPort: 0, toPort: 65535 }, everyone);
    refuses(ingress, { ...ssh, ipProtocol: "6", fromPort: "20", toPort: "30" }, everyone);
    refuses(ingress, { ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" }, everyone);
    refuses(ingress, { ipProtocol: "tcp", cidrIpv4: "0.0.0.0/0" }, everyone);
    refuses(
      oldRule,
      { type: "ingress", protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["192.0.2.1/32", "0.0.0.0/0"] },
      everyone,
    );
    refuses(group, { ingress: [{ protocol: "-1", fromPort: 0, toPort: 0, ipv6CidrBlocks: ["::/0"] }] }, everyone);
  });

  it("refuses halves of the internet, too", () => {
    refuses(ingress, { ...ssh, cidrIpv4: "128.0.0.0/1" }, everyone);
    assert.deepEqual(
      ["0.0.0.0/7", "10.0.0.0/8", "203.0.113.7/32", "::/0", "2000::/3", "2001:db8::/32", "pl-1"].map(isEveryone),
      [true, false, false, true, true, false, false],
    );
  });

  it("lets pass what keeps strangers out, other ports, other protocols and ways out", () => {
    passes(ingress, { ...ssh, cidrIpv4: "203.0.113.7/32" });
    passes(ingress, { ...ssh, fromPort: 8000, toPort: 8000 });
    passes(ingress, { ...ssh, fromPort: 23, toPort: 65535 });
    passes(ingress, { ...ssh, ipProtocol: "udp" });
    passes(oldRule, { type: "egress", protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] });
    passes("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", { ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" });
    passes(group, { egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }] });
  });

  it("says nothing of what it doesn't know yet", () => {
    passes(ingress, { ...ssh, cidrIpv4: unknown });
    passes(ingress, { ...ssh, fromPort: unknown });
    passes(group, { ingress: unknown });
  });
});

describe("the rule on encryption", () => {
  const bad: [string, Props, RegExp][] = [
    ["aws:ebs/volume:Volume", { size: 30 }, /disk isn't encrypted/],
    ["aws:ebs/volume:Volume", { encrypted: false }, /disk isn't encrypted/],
    ["aws:rds/instance:Instance", {}, /storage isn't encrypted/],
    ["aws:rds/cluster:Cluster", { storageEncrypted: false }, /storage isn't encrypted/],
    ["aws:efs/fileSystem:FileSystem", {}, /disk isn't encrypted/],
    ["aws:elasticache/replicationGroup:ReplicationGroup", { transitEncryptionEnabled: true }, /keeps isn't encrypted/],
    ["aws:elasticache/replicationGroup:ReplicationGroup", { atRestEncryptionEnabled: true }, /sends isn't encrypted/],
    ["aws:elasticache/cluster:Cluster", {}, /can't be encrypted/],
  ];
  for (const [type, props, what] of bad) {
    it(`refuses ${type.split(":")[1]} with ${JSON.stringify(props)}`, () => {
      refuses(type, props, what);
    });
  }

  it("refuses an instance's root disk and each disk of its own", () => {
    const metadataOptions = { httpTokens: "required" };
    refuses("aws:ec2/instance:Instance", { metadataOptions }, /root disk/);
    refuses("aws:ec2/instance:Instance", { metadataOptions, rootBlockDevice: { volumeSize: 8 } }, /root disk/);
    const disks = { rootBlockDevice: { encrypted: true }, ebsBlockDevices: [{ deviceName: "/dev/sdf" }] };
    refuses("aws:ec2/instance:Instance", { metadataOptions, ...disks }, /\/dev\/sdf/);
  });

  it("lets pass what is encrypted, replicas, and what isn't known yet", () => {
    passes("aws:ebs/volume:Volume", { encrypted: true });
    passes("aws:ebs/volume:Volume", { encrypted: unknown });
    passes("aws:rds/instance:Instance", { replicateSourceDb: "db" });
    passes("aws:ec2/instance:Instance", { metadataOptions: unknown, rootBlockDevice: unknown });
    passes("aws:elasticache/cluster:Cluster", { replicationGroupId: "group" });
  });
});

describe("the rule on exposure", () => {
  const statement = (fields: object) => ({
    bucket: "b",
    policy: JSON.stringify({
      Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*", ...fields }],
    }),
  });
  const bucketPolicy = "aws:s3/bucketPolicy:BucketPolicy";
  const closed = {
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  };
  const block = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";

  it("refuses buckets that are open by their access list", () => {
    for (const acl of ["public-read", "public-read-write", "authenticated-read"]) {
      refuses("aws:s3/bucketAcl:BucketAcl", { acl }, new RegExp(acl));
      refuses("aws:s3/bucket:Bucket", { acl }, new RegExp(acl));
    }
    const uri = "http://acs.amazonaws.com/groups/global/AllUsers";
    refuses("aws:s3/bucketAcl:BucketAcl", { accessControlPolicy: { grants: [{ grantee: { uri } }] } }, /AllUsers/);
  });

  it("refuses buckets, topics and queues that are open by their policy", () => {
    for (const type of [bucketPolicy, "aws:sns/topicPolicy:TopicPolicy", "aws:sqs/queuePolicy:QueuePolicy"]) {
      refuses(type, statement({ Principal: "*" }), /lets everyone in/);
      refuses(type, statement({ Principal: { AWS: ["*"] } }), /lets everyone in/);
    }
    // A condition that strangers meet as well narrows nothing.
    refuses(
      bucketPolicy,
      statement({ Principal: "*", Condition: { Bool: { "aws:SecureTransport": "true" } } }),
      /everyone/,
    );
    refuses(
      bucketPolicy,
      statement({ Principal: "*", Condition: { StringNotEquals: { "aws:SourceVpce": "v" } } }),
      /everyone/,
    );
    refuses(
      bucketPolicy,
      statement({ Principal: "*", Condition: { StringLike: { "aws:SourceArn": "*" } } }),
      /everyone/,
    );
  });

  it("refuses each block of public access that is off, and databases with a public address", () => {
    for (const key of Object.keys(closed)) {
      refuses(block, { ...closed, [key]: false }, new RegExp(key));
      refuses(block, { ...closed, [key]: undefined }, new RegExp(key));
    }
    refuses("aws:rds/instance:Instance", { storageEncrypted: true, publiclyAccessible: true }, /public address/);
  });

  it("lets pass what is the account's own", () => {
    passes(block, closed);
    passes(block, { ...closed, blockPublicAcls: unknown });
    passes("aws:s3/bucketAcl:BucketAcl", { acl: "private" });
    passes(bucketPolicy, statement({ Effect: "Deny", Principal: "*", Action: "s3:*" }));
    passes(bucketPolicy, statement({ Principal: { AWS: "arn:aws:iam::123456789012:root" } }));
    passes(bucketPolicy, statement({ Principal: "*", Condition: { StringEquals: { "aws:SourceVpce": "vpce-1" } } }));
    passes(bucketPolicy, { policy: unknown });
  });
});

describe("the rule on rights", () => {
  const rolePolicy = "aws:iam/rolePolicy:RolePolicy";
  const arn = "arn:aws:s3:::b/*";
  const policyOf = (fields: object) => ({
    policy: JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: arn, ...fields },
    }),
  });

  it("refuses wildcards in actions, in each kind of policy", () => {
    for (const Action of ["*", "s3:*", ["s3:GetObject", "s3:Put*"], "s3:Get?bject"]) {
      for (const type of [
        rolePolicy,
        "aws:iam/policy:Policy",
        "aws:iam/userPolicy:UserPolicy",
        "aws:iam/groupPolicy:GroupPolicy",
      ])
        refuses(type, policyOf({ Action }), /allows/);
    }
    refuses("aws:iam/role:Role", { inlinePolicies: [policyOf({ Action: "s3:*" })] }, /s3:\*/);
  });

  it("refuses all resources, and all of a kind", () => {
    for (const Resource of ["*", "arn:aws:s3:::*", "arn:*", "arn:aws:*:*:*:*", ["arn:aws:s3:::b", "*"]])
      refuses(rolePolicy, policyOf({ Resource }), /on /);
    refuses(
      rolePolicy,
      policyOf({ Action: "iam:PassRole", Resource: "arn:aws:iam::1:role/*" }),
      /every arn:aws:iam::1:role/,
    );
  });

  it("refuses what is said by what it isn't", () => {
    refuses(rolePolicy, policyOf({ Action: undefined, NotAction: "iam:*" }), /all but/);
    refuses(rolePolicy, policyOf({ Resource: undefined, NotResource: arn }), /all but/);
  });

  it("knows the actions that AWS lets nobody narrow, and how metrics are narrowed nonetheless", () => {
    const metrics = (Condition?: object) =>
      policyOf({
        Action: "cloudwatch:PutMetricData",
        Resource: "*",
        ...(Condition === undefined ? {} : { Condition }),
      });
    passes(rolePolicy, policyOf({ Action: ["ec2:DescribeInstances", "sts:GetCallerIdentity"], Resource: "*" }));
    passes(rolePolicy, metrics({ StringEquals: { "cloudwatch:namespace": "Homeport/prod" } }));
    refuses(rolePolicy, metrics(), /PutMetricData/);
    refuses(rolePolicy, metrics({ StringLike: { "cloudwatch:namespace": "*" } }), /PutMetricData/);
    refuses(rolePolicy, metrics({ StringNotEquals: { "cloudwatch:namespace": "x" } }), /PutMetricData/);
    refuses(
      rolePolicy,
      policyOf({ Action: ["ec2:DescribeInstances", "ec2:TerminateInstances"], Resource: "*" }),
      /ec2:TerminateInstances on/,
    );
  });

  it("refuses AWS's own policies but that of Session Manager", () => {
    const attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
    for (const name of ["AmazonS3FullAccess", "AdministratorAccess", "ReadOnlyAccess"]) {
      const policyArn = `arn:aws:iam::aws:policy/${name}`;
      refuses(attachment, { policyArn }, new RegExp(name));
      refuses("aws:iam/policyAttachment:PolicyAttachment", { policyArn }, new RegExp(name));
      refuses("aws:iam/role:Role", { managedPolicyArns: [policyArn] }, new RegExp(name));
    }
    passes(attachment, { policyArn: "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore" });
    passes(attachment, { policyArn: "arn:aws:iam::123456789012:policy/own" });
  });

  it("refuses roles that anybody, or anybody's workflow, may take", () => {
    const host = "token.actions.githubusercontent.com";
    const trust = (fields: object) => ({
      assumeRolePolicy: JSON.stringify({ Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", ...fields }] }),
    });
    const github = (Condition: object) =>
      trust({ Principal: { Federated: `arn:aws:iam::1:oidc-provider/${host}` }, Condition });
    const role = "aws:iam/role:Role";
    refuses(role, trust({ Principal: "*" }), /everyone/);
    refuses(role, trust({ Principal: { AWS: "*" } }), /everyone/);
    refuses(role, github({ StringEquals: { [`${host}:aud`]: "sts.amazonaws.com" } }), /any repository/);
    refuses(role, github({ StringLike: { [`${host}:sub`]: "repo:example/*" } }), /any repository/);
    passes(role, github({ StringLike: { [`${host}:sub`]: "repo:example/homeport:*" } }));
    passes(role, trust({ Principal: { Service: "ec2.amazonaws.com" } }));
    passes(role, trust({ Effect: "Deny", Principal: "*" }));
  });

  it("refuses what can't be read, and waits for what isn't known", () => {
    refuses(rolePolicy, { policy: "{" }, /isn't JSON/);
    passes(rolePolicy, { policy: unknown });
    passes(rolePolicy, policyOf({}));
    passes(rolePolicy, policyOf({ Effect: "Deny", Action: "*", Resource: "*" }));
  });
});

describe("the rule on machines", () => {
  const instance = "aws:ec2/instance:Instance";
  const safe = { metadataOptions: { httpTokens: "required" }, rootBlockDevice: { encrypted: true } };
  const pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n";

  it("refuses a metadata service without sessions", () => {
    refuses(instance, { ...safe, metadataOptions: undefined }, /IMDSv1/);
    refuses(instance, { ...safe, metadataOptions: { httpTokens: "optional" } }, /IMDSv1/);
    refuses("aws:ec2/launchTemplate:LaunchTemplate", {}, /IMDSv1/);
    passes(instance, { ...safe, metadataOptions: { httpTokens: unknown } });
    passes(instance, { ...safe, metadataOptions: { httpEndpoint: "disabled" } });
  });

  it("refuses secrets in user data, plain and encoded", () => {
    refuses(instance, { ...safe, userData: `#!/bin/sh\ncat > key <<E\n${pem}E\n` }, /private key/);
    refuses(instance, { ...safe, userDataBase64: Buffer.from(pem).toString("base64") }, /private key/);
    refuses(instance, { ...safe, userData: "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE" }, /access key/);
    passes(instance, { ...safe, userData: "#cloud-config\npackages: [jq]\n" });
  });
});

describe("the rules together", () => {
  it("name the resource, say why, and what to declare", () => {
    assert.deepEqual(checkResource("aws:ebs/volume:Volume", "data", {}), [
      {
        where: "data (aws:ebs Volume)",
        what: "Its disk isn't encrypted.",
        why: "Whoever gets at the disk, a snapshot of it or the network reads everything; encryption costs nothing here and can't be added later without a copy.",
        fix: "Declare encrypted: true.",
      },
    ]);
  });

  it("leave other providers' resources alone", () => {
    passes("random:index/randomId:RandomId", { acl: "public-read" });
  });

  const types = [
    ingress,
    oldRule,
    group,
    "aws:ebs/volume:Volume",
    "aws:ec2/instance:Instance",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/role:Role",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketAcl:BucketAcl",
    "aws:rds/instance:Instance",
  ];
  const keys = [
    "policy",
    "ingress",
    "cidrIpv4",
    "fromPort",
    "rootBlockDevice",
    "metadataOptions",
    "userData",
    "assumeRolePolicy",
    "acl",
    "encrypted",
    "storageEncrypted",
  ];

  it("take any input without a crash, and nothing unknown for unsafe", () => {
    const value = fc.oneof(fc.anything(), fc.constant(unknown), fc.json());
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.dictionary(fc.constantFrom(...keys), value), (type, props) => {
        checkResource(type, "it", props);
        checkResource(type, "it", { policy: JSON.stringify({ Statement: [props] }) });
      }),
    );
    for (const type of types)
      passes(type, Object.fromEntries([...keys, "publiclyAccessible"].map((key) => [key, unknown])));
  });
});
