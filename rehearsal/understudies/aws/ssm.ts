import { lookup } from "./resource";
import { flag, text } from "./schema";

/** aws.ssm.getParameter */
export const getParameter = lookup({
  token: "aws:ssm/getParameter:getParameter",
  inputs: { name: text({ required: true }), withDecryption: flag({ default: true }) },
  async run(api, { name, withDecryption }) {
    const ssm = await api.client("ssm");
    const { Parameter } = await ssm.getParameter({ Name: name, WithDecryption: withDecryption });
    return {
      id: name,
      name,
      arn: Parameter?.ARN,
      type: Parameter?.Type,
      value: Parameter?.Value,
      insecureValue: Parameter?.Type === "SecureString" ? "" : Parameter?.Value,
      version: Parameter?.Version,
      withDecryption,
    };
  },
});
