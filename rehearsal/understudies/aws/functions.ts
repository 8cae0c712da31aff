import { getEbsVolumes, getInstance, getSubnet, getSubnets, getVolume, getVpc } from "./ec2/lookups";
import { getCallerIdentity, getPartition, getRegion } from "./identity";
import { type FunctionType } from "./resource";
import { getParameter } from "./ssm";

/** The functions that the understudy has, by their tokens. */
export const functions: ReadonlyMap<string, FunctionType> = new Map(
  [
    ...[getCallerIdentity, getParameter, getPartition, getRegion],
    ...[getEbsVolumes, getInstance, getSubnet, getSubnets, getVolume, getVpc],
  ].map((each) => [each.token, each]),
);
