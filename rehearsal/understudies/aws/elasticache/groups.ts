import type { ParameterNameValue } from "@aws-sdk/client-elasticache";
import type { Api } from "../api";
import { resource } from "../resource";
import { type Values, block, map, set, text } from "../schema";
import { ifThere, removed, retry } from "../steps";
import { tagList } from "../tags";
import { cacheTags, changeCacheTags } from "./tags";

/** aws.elasticache.SubnetGroup */
export const cacheSubnetGroup = resource({
  token: "aws:elasticache/subnetGroup:SubnetGroup",
  inputs: {
    description: text({ default: "Managed by Pulumi" }),
    name: text({ replaces: true, computed: true }),
    subnetIds: set(text(), { required: true }),
    tags: map(),
  },
  outputs: ["arn", "vpcId", "tagsAll"],
  autoname: { property: "name", longest: 255, lower: true },
  async create(api, inputs) {
    const elasticache = await api.client("elasticache");
    await elasticache.createCacheSubnetGroup({
      CacheSubnetGroupName: inputs.name,
      CacheSubnetGroupDescription: inputs.description,
      SubnetIds: inputs.subnetIds,
      Tags: tagList(inputs.tags),
    });
    return inputs.name!;
  },
  async read(api, id) {
    const elasticache = await api.client("elasticache");
    const found = await ifThere(elasticache.describeCacheSubnetGroups({ CacheSubnetGroupName: id }));
    const group = found?.CacheSubnetGroups?.[0];
    if (group === undefined) return undefined;
    return {
      arn: group.ARN,
      description: group.CacheSubnetGroupDescription,
      name: group.CacheSubnetGroupName,
      subnetIds: (group.Subnets ?? []).map(({ SubnetIdentifier }) => SubnetIdentifier),
      vpcId: group.VpcId,
      ...(await cacheTags(api, group.ARN)),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const elasticache = await api.client("elasticache");
    if (changed.has("subnetIds") || changed.has("description")) {
      await elasticache.modifyCacheSubnetGroup({
        CacheSubnetGroupName: id,
        CacheSubnetGroupDescription: news.description,
        SubnetIds: news.subnetIds,
      });
    }
    await changeCacheTags(api, olds, news);
  },
  async remove(api, id) {
    const elasticache = await api.client("elasticache");
    const attempt = (): Promise<unknown> => elasticache.deleteCacheSubnetGroup({ CacheSubnetGroupName: id });
    await removed(retry(api, /CacheSubnetGroupInUse/, attempt));
  },
});

interface Parameter {
  readonly name: string;
  readonly value: string;
}

const sent = ({ name, value }: Parameter): ParameterNameValue => ({ ParameterName: name, ParameterValue: value });

/** Of all parameters that a family has, those that somebody set. */
async function parametersOf(api: Api, CacheParameterGroupName: string): Promise<Values[]> {
  const elasticache = await api.client("elasticache");
  const { Parameters = [] } = await elasticache.describeCacheParameters({ CacheParameterGroupName, Source: "user" });
  return Parameters.map(({ ParameterName: name, ParameterValue: value }) => ({ name, value }));
}

/** aws.elasticache.ParameterGroup */
export const cacheParameterGroup = resource({
  token: "aws:elasticache/parameterGroup:ParameterGroup",
  inputs: {
    description: text({ replaces: true, default: "Managed by Pulumi" }),
    family: text({ required: true, replaces: true }),
    name: text({ replaces: true, computed: true }),
    parameters: set(block({ name: text({ required: true }), value: text({ required: true }) })),
    tags: map(),
  },
  outputs: ["arn", "tagsAll"],
  autoname: { property: "name", longest: 255, lower: true },
  lint: ({ family, description }) => ({
    type: "AWS::ElastiCache::ParameterGroup",
    properties: { CacheParameterGroupFamily: family, Description: description },
    names: { CacheParameterGroupFamily: "family" },
  }),
  async create(api, inputs, made) {
    const elasticache = await api.client("elasticache");
    await elasticache.createCacheParameterGroup({
      CacheParameterGroupName: inputs.name,
      CacheParameterGroupFamily: inputs.family,
      Description: inputs.description,
      Tags: tagList(inputs.tags),
    });
    made(inputs.name!);
    const ParameterNameValues = (inputs.parameters ?? []).map(sent);
    if (ParameterNameValues.length > 0) {
      await elasticache.modifyCacheParameterGroup({ CacheParameterGroupName: inputs.name, ParameterNameValues });
    }
    return inputs.name!;
  },
  async read(api, id) {
    const elasticache = await api.client("elasticache");
    const found = await ifThere(elasticache.describeCacheParameterGroups({ CacheParameterGroupName: id }));
    const group = found?.CacheParameterGroups?.[0];
    if (group === undefined) return undefined;
    return {
      arn: group.ARN,
      description: group.Description,
      family: group.CacheParameterGroupFamily,
      name: group.CacheParameterGroupName,
      parameters: await parametersOf(api, id),
      ...(await cacheTags(api, group.ARN)),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const elasticache = await api.client("elasticache");
    if (changed.has("parameters")) {
      const after = news.parameters ?? [];
      const gone = ((olds["parameters"] ?? []) as Parameter[]).filter(
        ({ name }) => !after.some((each) => each.name === name),
      );
      const group = { CacheParameterGroupName: id };
      if (gone.length > 0) {
        await elasticache.resetCacheParameterGroup({ ...group, ParameterNameValues: gone.map(sent) });
      }
      if (after.length > 0) {
        await elasticache.modifyCacheParameterGroup({ ...group, ParameterNameValues: after.map(sent) });
      }
    }
    await changeCacheTags(api, olds, news);
  },
  async remove(api, id) {
    const elasticache = await api.client("elasticache");
    const attempt = (): Promise<unknown> => elasticache.deleteCacheParameterGroup({ CacheParameterGroupName: id });
    await removed(retry(api, /InvalidCacheParameterGroupState/, attempt));
  },
});
