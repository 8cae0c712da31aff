import { objectsOf, unknown, type Props, type Rule, type Violation } from "./rule";
import { isAnyone, statementsOf, type Read } from "./policy";

const publicAcls = new Set(["public-read", "public-read-write", "authenticated-read"]);
/** Groups of S3's access lists that take in strangers (S3 user guide, "Access control list overview"). */
const strangers = /\/groups\/global\/(AllUsers|AuthenticatedUsers)$/;

const blocks = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"] as const;

/** Buckets, topics, queues and databases that only the account reaches. */
export const unexposed: Rule = (type, props) => {
  switch (type) {
    case "aws:s3/bucket:Bucket":
    case "aws:s3/bucketV2:BucketV2":
      return [
        ...openAcl(props),
        ...objectsOf(props["grants"]).flatMap(({ uri }) => openGrant(uri)),
        ...openPolicy(props),
      ];
    case "aws:s3/bucketAcl:BucketAcl":
    case "aws:s3/bucketAclV2:BucketAclV2":
      return [
        ...openAcl(props),
        ...objectsOf(props["accessControlPolicy"])
          .flatMap(({ grants }) => objectsOf(grants))
          .flatMap(({ grantee }) => objectsOf(grantee))
          .flatMap(({ uri }) => openGrant(uri)),
      ];
    case "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":
    case "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": {
      const off = blocks.filter((block) => props[block] !== true && props[block] !== unknown);
      return off.length === 0 ? [] : [exposed(`It leaves ${off.join(", ")} off.`, `${off[0]}: true`)];
    }
    case "aws:s3/bucketPolicy:BucketPolicy":
    case "aws:sns/topicPolicy:TopicPolicy":
    case "aws:sqs/queuePolicy:QueuePolicy":
    case "aws:sns/topic:Topic":
    case "aws:sqs/queue:Queue":
      return openPolicy(props);
    case "aws:rds/instance:Instance":
    case "aws:rds/clusterInstance:ClusterInstance":
      return props["publiclyAccessible"] === true
        ? [exposed("The database gets a public address.", "publiclyAccessible: false")]
        : [];
    default:
      return [];
  }
};

const openAcl = ({ acl }: Props): Violation[] =>
  typeof acl === "string" && publicAcls.has(acl)
    ? [exposed(`Its access list is "${acl}".`, 'no acl, and BucketOwnershipControls with "BucketOwnerEnforced"')]
    : [];

const openGrant = (uri: unknown): Violation[] =>
  typeof uri === "string" && strangers.test(uri)
    ? [exposed(`Its access list lets ${uri.split("/").at(-1)} in.`, "no such grant")]
    : [];

function openPolicy(props: Props): Violation[] {
  return statementsOf(props["policy"])
    .filter((statement) => isAnyone(statement.principal) && statement.allows && !isNarrowed(statement))
    .map(({ name }) => exposed(`Its policy lets everyone in (statement ${name}).`, "a Principal of your own account"));
}

/** Keys that tie a request to an account, a resource or a network of one's own (IAM user guide, "Global condition context keys"). */
const narrowing =
  /^aws:(SourceArn|SourceAccount|SourceOrgID|PrincipalOrgID|PrincipalAccount|PrincipalArn|SourceVpc|SourceVpce|SourceOwner)$/i;

/** Operators under which a value that is asked for must be met; negated ones let everyone else in. */
const positive = /^(ForAnyValue:)?(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)$/;

const isNarrowed = ({ condition }: Read): boolean =>
  Object.entries(condition).some(
    ([operator, keys]) =>
      positive.test(operator) &&
      Object.entries(keys).some(([key, values]) => narrowing.test(key) && !values.includes("*")),
  );

const exposed = (what: string, setting: string): Violation => ({
  what,
  why: "Anybody on the internet could read, and perhaps change, what is in it.",
  fix: `Declare ${setting}.`,
});
