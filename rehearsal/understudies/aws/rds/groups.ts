import type { Api } from "../api";
import { resource } from "../resource";
import { type Values, block, map, set, text } from "../schema";
import { ifThere, removed, retry } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";

async function tagsOf(api: Api, ResourceName: string | undefined): Promise<ReturnType<typeof observedTags>> {
  const rds = await api.client("rds");
  const { TagList } = await rds.listTagsForResource({ ResourceName });
  return observedTags(TagList);
}

async function changeGroupTags(
  api: Api,
  olds: Values,
  news: { readonly tags?: Readonly<Record<string, string>> | undefined },
): Promise<void> {
  const rds = await api.client("rds");
  const ResourceName = String(olds["arn"]);
  await changeTags(
    olds,
    news,
    (tags) => rds.addTagsToResource({ ResourceName, Tags: tagList(tags) }),
    (TagKeys) => rds.removeTagsFromResource({ ResourceName, TagKeys }),
  );
}

/** aws.rds.SubnetGroup */
export const rdsSubnetGroup = resource({
  token: "aws:rds/subnetGroup:SubnetGroup",
  inputs: {
    description: text({ default: "Managed by Pulumi" }),
    name: text({ replaces: true, computed: true }),
    subnetIds: set(text(), { required: true }),
    tags: map(),
  },
  outputs: ["arn", "supportedNetworkTypes", "vpcId", "tagsAll"],
  autoname: { property: "name", longest: 255, lower: true },
  async create(api, inputs) {
    const rds = await api.client("rds");
    const { DBSubnetGroup } = await rds.createDBSubnetGroup({
      DBSubnetGroupName: inputs.name,
      DBSubnetGroupDescription: inputs.description,
      SubnetIds: inputs.subnetIds,
      Tags: tagList(inputs.tags),
    });
    return DBSubnetGroup?.DBSubnetGroupName ?? "";
  },
  async read(api, id) {
    const rds = await api.client("rds");
    const found = (await ifThere(rds.describeDBSubnetGroups({ DBSubnetGroupName: id })))?.DBSubnetGroups?.[0];
    if (found === undefined) return undefined;
    return {
      arn: found.DBSubnetGroupArn,
      description: found.DBSubnetGroupDescription,
      name: found.DBSubnetGroupName,
      subnetIds: (found.Subnets ?? []).map(({ SubnetIdentifier }) => SubnetIdentifier),
      supportedNetworkTypes: found.SupportedNetworkTypes ?? [],
      vpcId: found.VpcId,
      ...(await tagsOf(api, found.DBSubnetGroupArn)),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const rds = await api.client("rds");
    if (changed.has("subnetIds") || changed.has("description")) {
      await rds.modifyDBSubnetGroup({
        DBSubnetGroupName: id,
        DBSubnetGroupDescription: news.description,
        SubnetIds: news.subnetIds,
      });
    }
    await changeGroupTags(api, olds, news);
  },
  async remove(api, id) {
    const rds = await api.client("rds");
    await removed(retry(api, /InvalidDBSubnetGroupState/, () => rds.deleteDBSubnetGroup({ DBSubnetGroupName: id })));
  },
});

const parameter = block({
  name: text({ required: true }),
  value: text({ required: true }),
  applyMethod: text({ default: "immediate", oneOf: ["immediate", "pending-reboot"] }),
});

interface Parameter {
  readonly name: string;
  readonly value: string;
  readonly applyMethod: string;
}

const sent = ({ name, value, applyMethod }: Parameter) => ({
  ParameterName: name,
  ParameterValue: value,
  ApplyMethod: applyMethod as "immediate",
});

/** Of all parameters that a family has, those that somebody set. */
async function parametersOf(api: Api, DBParameterGroupName: string): Promise<Values[]> {
  const rds = await api.client("rds");
  const found: Values[] = [];
  let Marker: string | undefined;
  do {
    const page = await rds.describeDBParameters({ DBParameterGroupName, Source: "user", Marker });
    for (const { ParameterName: name, ParameterValue: value, ApplyMethod: applyMethod } of page.Parameters ?? []) {
      if (name !== undefined && value !== undefined)
        found.push({ name, value, applyMethod: applyMethod ?? "immediate" });
    }
    Marker = page.Marker === "" ? undefined : page.Marker;
  } while (Marker !== undefined);
  return found;
}

/** aws.rds.ParameterGroup */
export const rdsParameterGroup = resource({
  token: "aws:rds/parameterGroup:ParameterGroup",
  inputs: {
    description: text({ replaces: true, default: "Managed by Pulumi" }),
    family: text({ required: true, replaces: true }),
    name: text({ replaces: true, computed: true }),
    parameters: set(parameter),
    tags: map(),
  },
  outputs: ["arn", "tagsAll"],
  autoname: { property: "name", longest: 255, lower: true },
  lint: ({ family, description }) => ({
    type: "AWS::RDS::DBParameterGroup",
    properties: { Family: family, Description: description },
  }),
  async create(api, inputs, made) {
    const rds = await api.client("rds");
    await rds.createDBParameterGroup({
      DBParameterGroupName: inputs.name,
      DBParameterGroupFamily: inputs.family,
      Description: inputs.description,
      Tags: tagList(inputs.tags),
    });
    made(inputs.name!);
    const Parameters = (inputs.parameters ?? []).map(sent);
    if (Parameters.length > 0) await rds.modifyDBParameterGroup({ DBParameterGroupName: inputs.name, Parameters });
    return inputs.name!;
  },
  async read(api, id) {
    const rds = await api.client("rds");
    const found = (await ifThere(rds.describeDBParameterGroups({ DBParameterGroupName: id })))?.DBParameterGroups?.[0];
    if (found === undefined) return undefined;
    return {
      arn: found.DBParameterGroupArn,
      description: found.Description,
      family: found.DBParameterGroupFamily,
      name: found.DBParameterGroupName,
      parameters: await parametersOf(api, id),
      ...(await tagsOf(api, found.DBParameterGroupArn)),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const rds = await api.client("rds");
    if (changed.has("parameters")) {
      const after = news.parameters ?? [];
      const gone = ((olds["parameters"] ?? []) as Parameter[]).filter(
        ({ name }) => !after.some((each) => each.name === name),
      );
      const group = { DBParameterGroupName: id };
      if (gone.length > 0) await rds.resetDBParameterGroup({ ...group, Parameters: gone.map(sent) });
      if (after.length > 0) await rds.modifyDBParameterGroup({ ...group, Parameters: after.map(sent) });
    }
    await changeGroupTags(api, olds, news);
  },
  async remove(api, id) {
    const rds = await api.client("rds");
    const attempt = (): Promise<unknown> => rds.deleteDBParameterGroup({ DBParameterGroupName: id });
    await removed(retry(api, /InvalidDBParameterGroupState/, attempt));
  },
});
