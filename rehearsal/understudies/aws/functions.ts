import { getInstance, getSubnet, getSubnets, getVpc } from "./ec2/lookups";
import { getCallerIdentity, getPartition, getRegion } from "./identity";
import { type FunctionType } from "./resource";
import { getParameter } from "./ssm";

/** The functions that the understudy has, by their tokens. */
export const functions: ReadonlyMap<string, FunctionType> = new Map(
  [getCallerIdentity, getInstance, getParameter, getPartition, getRegion, getSubnet, getSubnets, getVpc].map((each) => [
    each.token,
    each,
  ]),
);
