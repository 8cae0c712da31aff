import type { PolicyDocument, Statement } from "../../../targets/ec2/policies/document";

/** A thing that a call of AWS touches. */
export interface Thing {
  /** `*` for calls that can't be narrowed to a resource. */
  readonly arn: string;
  /** Tags that it has. @default none */
  readonly tags?: Readonly<Record<string, string>>;
  /** Tags that the request gives it. @default none */
  readonly given?: Readonly<Record<string, string>>;
}

/** A call as IAM sees it: it must be allowed on each thing. */
export interface Call {
  /** `ec2:RunInstances` */
  readonly action: string;
  readonly on: readonly Thing[];
  readonly region: string;
  /** Keys of the request besides region and tags, `iam:PassedToService`. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** `aws:userid` of a role's session, by the session's name. */
const variables: Readonly<Record<string, string>> = { "aws:userid": "AROAEXAMPLE:homeport" };

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

/** `*` stands for any text, slashes and colons as well; `?` for one character (IAM user guide, "Resource"). */
function fits(pattern: string, text: string, flags = ""): boolean {
  const known = pattern.replaceAll(/\$\{([\w:]+)\}/g, (_, name: string) => variables[name] ?? "\0");
  const source = known
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`, flags).test(text);
}

function valueOf(key: string, call: Call, thing: Thing): string | undefined {
  const tag = /^(aws:ResourceTag|ssm:resourceTag|aws:RequestTag)\/(.+)$/.exec(key);
  if (tag !== null) return (tag[1] === "aws:RequestTag" ? thing.given : thing.tags)?.[tag[2] ?? ""];
  return key === "aws:RequestedRegion" ? call.region : call.keys?.[key];
}

/** The operators that the policies use; a key that a request doesn't have fails them. */
const operators: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringLike: (value, wanted) => fits(wanted, value),
  ArnEquals: (value, wanted) => fits(wanted, value),
};

function applies({ Action, NotAction, Resource, Condition }: Statement, call: Call, thing: Thing): boolean {
  if (NotAction !== undefined) throw new Error("The evaluator doesn't know NotAction.");
  return (
    list(Action).some((pattern) => fits(pattern, call.action, "i")) &&
    list(Resource).some((pattern) => fits(pattern, thing.arn)) &&
    Object.entries(Condition ?? {}).every(([operator, keys]) => {
      const holds = operators[operator];
      if (holds === undefined) throw new Error(`The evaluator doesn't know ${operator}.`);
      return Object.entries(keys).every(([key, wanted]) => {
        const value = valueOf(key, call, thing);
        return value !== undefined && list(wanted).some((one) => holds(value, one));
      });
    })
  );
}

/** The things on which policies of a role don't allow a call: none where it is allowed (IAM user guide, "Policy evaluation logic"). */
export function refusedOn(documents: readonly PolicyDocument[], call: Call): readonly string[] {
  const statements = documents.flatMap(({ Statement: all }) => all);
  const refused = call.on.filter((thing) => {
    const matching = statements.filter((statement) => applies(statement, call, thing));
    return matching.length === 0 || matching.some(({ Effect }) => Effect === "Deny");
  });
  return refused.map(({ arn }) => `${call.action} on ${arn}`);
}
