import { isSameJson } from "../diff";
import { withPolicy } from "../lint";
import { resource } from "../resource";
import { json, text } from "../schema";
import { ifThere, removed } from "../steps";
import { readable } from "./role";

/** aws.iam.RolePolicy: a policy within a role. */
export const rolePolicy = resource({
  token: "aws:iam/rolePolicy:RolePolicy",
  regional: false,
  inputs: {
    name: text({ replaces: true, computed: true }),
    policy: json({ required: true }),
    role: text({ required: true, replaces: true }),
  },
  outputs: [],
  autoname: { property: "name", longest: 128 },
  // The role's own name may still be unknown; it says nothing about the policy.
  lint: ({ policy, name }) => {
    const others = { PolicyName: name, RoleName: "role" };
    return withPolicy("AWS::IAM::RolePolicy", "PolicyDocument", "policy", policy, others, { PolicyName: "name" });
  },
  async create(api, inputs) {
    const iam = await api.client("iam");
    await iam.putRolePolicy({ RoleName: inputs.role, PolicyName: inputs.name, PolicyDocument: inputs.policy });
    return `${inputs.role}:${inputs.name ?? ""}`;
  },
  async read(api, id, state) {
    const iam = await api.client("iam");
    const [RoleName = "", ...name] = id.split(":");
    const found = await ifThere(iam.getRolePolicy({ RoleName, PolicyName: name.join(":") }));
    if (found === undefined) return undefined;
    const policy = readable(found.PolicyDocument);
    return {
      name: found.PolicyName,
      role: found.RoleName,
      policy: isSameJson(state["policy"], policy) ? state["policy"] : policy,
    };
  },
  async update(api, _, { news }) {
    const iam = await api.client("iam");
    await iam.putRolePolicy({ RoleName: news.role, PolicyName: news.name, PolicyDocument: news.policy });
  },
  async remove(api, id) {
    const iam = await api.client("iam");
    const [RoleName = "", ...name] = id.split(":");
    await removed(iam.deleteRolePolicy({ RoleName, PolicyName: name.join(":") }));
  },
});

/** aws.iam.RolePolicyAttachment: a managed policy of a role. */
export const rolePolicyAttachment = resource({
  token: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  regional: false,
  inputs: { policyArn: text({ required: true, replaces: true }), role: text({ required: true, replaces: true }) },
  outputs: [],
  check: ({ policyArn }) =>
    /^arn:[\w-]+:iam::(aws|\d{12}):policy\/.+$/.test(policyArn ?? "arn:aws:iam::aws:policy/x")
      ? []
      : [{ property: "policyArn", reason: `"${policyArn}" is no ARN of a managed policy` }],
  async create(api, { role, policyArn }) {
    const iam = await api.client("iam");
    await iam.attachRolePolicy({ RoleName: role, PolicyArn: policyArn });
    return `${role}/${policyArn}`;
  },
  async read(api, id) {
    const iam = await api.client("iam");
    const [RoleName = "", ...arn] = id.split("/");
    const policyArn = arn.join("/");
    const found = await ifThere(iam.listAttachedRolePolicies({ RoleName }));
    const isThere = found?.AttachedPolicies?.some(({ PolicyArn }) => PolicyArn === policyArn) === true;
    return isThere ? { role: RoleName, policyArn } : undefined;
  },
  async remove(api, _, state) {
    const iam = await api.client("iam");
    await removed(iam.detachRolePolicy({ RoleName: String(state["role"]), PolicyArn: String(state["policyArn"]) }));
  },
});
