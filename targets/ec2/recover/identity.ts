import type { IAMClient } from "@aws-sdk/client-iam";
import { clientOptions } from "../../../drivers/ec2/client";
import type { Candidate } from "../../recovery";
import { connectionTo } from "../awsConfig";
import { ifThere, tagsOf, type Wanted } from "./wanted";

async function client({ aws, region }: Wanted): Promise<IAMClient> {
  const options = clientOptions(connectionTo(aws, "iam", region));
  const { IAMClient } = await import("@aws-sdk/client-iam");
  return new IAMClient(options);
}

export async function role(wanted: Wanted): Promise<Candidate[]> {
  const { GetRoleCommand } = await import("@aws-sdk/client-iam");
  const id = wanted.text("name");
  const found = await ifThere((await client(wanted)).send(new GetRoleCommand({ RoleName: id })));
  return found === undefined ? [] : [{ id, remove: `aws iam delete-role --role-name ${id}` }];
}

/** An account has a policy's name once in all of its paths. */
export async function policy(wanted: Wanted): Promise<Candidate[]> {
  const { paginateListPolicies } = await import("@aws-sdk/client-iam");
  const pages = paginateListPolicies({ client: await client(wanted) }, { Scope: "Local" });
  for await (const { Policies = [] } of pages) {
    const id = Policies.find(({ PolicyName }) => PolicyName === wanted.text("name"))?.Arn;
    if (id !== undefined) return [{ id, remove: `aws iam delete-policy --policy-arn ${id}` }];
  }
  return [];
}

/** Its role is told by a second call: where that wasn't made, the next `up` sees that it has none. */
export async function instanceProfile(wanted: Wanted): Promise<Candidate[]> {
  const { GetInstanceProfileCommand } = await import("@aws-sdk/client-iam");
  const id = wanted.text("name");
  const command = new GetInstanceProfileCommand({ InstanceProfileName: id });
  const found = await ifThere((await client(wanted)).send(command));
  return found === undefined ? [] : [{ id, remove: `aws iam delete-instance-profile --instance-profile-name ${id}` }];
}

/** An account has one for each address, and another stack may have made it: that one's isn't taken. */
export async function openIdConnectProvider(wanted: Wanted): Promise<Candidate[]> {
  const { ListOpenIDConnectProvidersCommand, ListOpenIDConnectProviderTagsCommand } =
    await import("@aws-sdk/client-iam");
  const iam = await client(wanted);
  const { OpenIDConnectProviderList = [] } = await iam.send(new ListOpenIDConnectProvidersCommand({}));
  const host = wanted.text("url").replace(/^https:\/\//, "");
  const [arn] = OpenIDConnectProviderList.flatMap(({ Arn = "" }) =>
    Arn.endsWith(`:oidc-provider/${host}`) ? [Arn] : [],
  );
  if (arn === undefined) return [];
  const { Tags = [] } = await iam.send(new ListOpenIDConnectProviderTagsCommand({ OpenIDConnectProviderArn: arn }));
  const own = Object.entries(tagsOf(wanted)).every(([key, value]) =>
    Tags.some((tag) => tag.Key === key && tag.Value === value),
  );
  const remove = `aws iam delete-open-id-connect-provider --open-id-connect-provider-arn ${arn}`;
  return own ? [{ id: arn, remove }] : [];
}
