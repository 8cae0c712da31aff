import { documentOf, isAnyone, statementsOf, unreadable, type Read } from "./policy";
import { narrowedBy, resourceless } from "./resourceless";
import { objectsOf, textsOf, type Rule, type Violation } from "./rule";

const policies = new Set([
  "aws:iam/rolePolicy:RolePolicy",
  "aws:iam/policy:Policy",
  "aws:iam/userPolicy:UserPolicy",
  "aws:iam/groupPolicy:GroupPolicy",
]);
const attachments = /^aws:iam\/(role|user|group)?[pP]olicyAttachment:/;

/** The one policy of AWS that may be attached, as no other says better what its agent needs. */
const allowedManaged = /^arn:aws[a-z-]*:iam::aws:policy\/AmazonSSMManagedInstanceCore$/;

/** Rights of roles name their actions and resources; trust in roles names who is trusted. */
export const narrowRights: Rule = (type, props) => {
  if (policies.has(type)) return checkPolicy(props["policy"]);
  if (attachments.test(type)) return textsOf(props["policyArn"]).flatMap(checkManaged);
  if (type !== "aws:iam/role:Role") return [];
  return [
    ...statementsOf(props["assumeRolePolicy"]).flatMap(checkTrust),
    ...objectsOf(props["inlinePolicies"]).flatMap(({ policy }) => checkPolicy(policy)),
    ...textsOf(props["managedPolicyArns"]).flatMap(checkManaged),
  ];
};

function checkPolicy(policy: unknown): Violation[] {
  if (documentOf(policy) === unreadable) {
    return [wide("Its policy isn't JSON, so nobody can say what it allows.", "a policy by JSON.stringify")];
  }
  return statementsOf(policy)
    .filter(({ allows }) => allows)
    .flatMap((statement) => [...checkActions(statement), ...checkResources(statement)]);
}

function checkActions({ name, actions, negated }: Read): Violation[] {
  if (negated) return [wide(`Statement ${name} allows all but what it names.`, "Action and Resource in place of Not…")];
  const open = actions.filter((action) => action.includes("*") || action.includes("?"));
  if (open.length === 0) return [];
  return [wide(`Statement ${name} allows ${open.join(", ")}.`, "each action by its name")];
}

function checkResources(statement: Read): Violation[] {
  const { name, actions, resources, condition } = statement;
  const every = resources.filter(isEverything);
  if (every.length > 0) {
    const open = actions.filter((action) => !resourceless.has(action) && !isNarrowed(statement, action));
    if (open.length === 0) return [];
    return [wide(`Statement ${name} allows ${open.join(", ")} on ${every.join(", ")}.`, "the resources by their ARNs")];
  }
  const kinds = Object.keys(condition).length > 0 ? [] : resources.filter(isKind);
  if (kinds.length === 0) return [];
  return [
    wide(
      `Statement ${name} allows ${actions.join(", ")} on every ${kinds.join(", ")}.`,
      "the resources by their ARNs, or a Condition on their tag",
    ),
  ];
}

function isNarrowed({ condition }: Read, action: string): boolean {
  const prefix = narrowedBy[action];
  if (prefix === undefined) return false;
  const keys = ["StringEquals", "StringLike"].flatMap((operator) => Object.entries(condition[operator] ?? {}));
  return keys.some(
    ([key, values]) => key.startsWith(prefix) && values.length > 0 && !values.some((value) => value.startsWith("*")),
  );
}

/** `*`, `arn:*`, or an ARN whose last part names nothing, such as `arn:aws:s3:::*`. */
function isEverything(resource: string): boolean {
  const [, , service = "*", , , ...rest] = resource.split(":");
  return /^[*?]+$/.test(resource) || service.includes("*") || /^[*?]+(\/[*?]+)*$/.test(rest.join(":"));
}

/** All of one kind, such as `role/*`; in S3's ARNs the part before the slash is a bucket of one's own. */
function isKind(resource: string): boolean {
  const [, , service, , , ...rest] = resource.split(":");
  return service !== "s3" && /^[a-z-]+[/:][*?]+$/.test(rest.join(":"));
}

function checkManaged(arn: string): Violation[] {
  if (!/^arn:aws[a-z-]*:iam::aws:policy\//.test(arn) || allowedManaged.test(arn)) return [];
  const name = arn.split("/").at(-1) ?? arn;
  return [wide(`It attaches AWS's policy ${name}.`, "a policy with the actions and resources in use")];
}

function checkTrust({ name, allows, principal, condition }: Read): Violation[] {
  if (!allows) return [];
  if (isAnyone(principal))
    return [wide(`Trust statement ${name} lets everyone take the role.`, "who may, as Principal")];
  const host = "token.actions.githubusercontent.com";
  if (!JSON.stringify(principal ?? "").includes(`oidc-provider/${host}`)) return [];
  const subjects = ["StringEquals", "StringLike"].flatMap((operator) => condition[operator]?.[`${host}:sub`] ?? []);
  // The repository, before its second colon, may not be left open: all of GitHub shares the provider.
  const open = subjects.filter((subject) => /[*?]/.test(subject.split(":").slice(0, 2).join(":")));
  if (subjects.length > 0 && open.length === 0) return [];
  return [
    wide(
      `Trust statement ${name} lets workflows of any repository take the role.`,
      `a StringEquals condition on ${host}:sub that names the repository`,
    ),
  ];
}

const wide = (what: string, setting: string): Violation => ({
  what,
  why: "Whoever gets hold of it could do more than the program needs, in the whole account.",
  fix: `Declare ${setting}.`,
});
