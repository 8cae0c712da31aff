import { resource } from "../resource";
import { map, text } from "../schema";
import { ifThere, removed } from "../steps";
import { observedTags } from "../tags";
import { changeEc2Tags, tagSpecification } from "./tags";

/** aws.ec2.KeyPair. AWS doesn't give the public key back as it was, so the program's own stays. */
export const keyPair = resource({
  token: "aws:ec2/keyPair:KeyPair",
  inputs: {
    keyName: text({ replaces: true, computed: true }),
    publicKey: text({ required: true, replaces: true }),
    tags: map(),
  },
  outputs: ["arn", "fingerprint", "keyPairId", "keyType", "tagsAll"],
  autoname: { property: "keyName", longest: 255 },
  check: ({ publicKey }) =>
    /^(ssh-(rsa|ed25519)|-----BEGIN|---- BEGIN SSH2)/.test(publicKey ?? "ssh-rsa")
      ? []
      : [{ property: "publicKey", reason: "expected an RSA or Ed25519 public key in the form of OpenSSH" }],
  async create(api, inputs) {
    const ec2 = await api.client("ec2");
    const { KeyName } = await ec2.importKeyPair({
      KeyName: inputs.keyName,
      PublicKeyMaterial: Buffer.from(inputs.publicKey),
      ...tagSpecification("key-pair", inputs.tags),
    });
    return KeyName ?? "";
  },
  async read(api, id) {
    const ec2 = await api.client("ec2");
    const pair = (await ifThere(ec2.describeKeyPairs({ KeyNames: [id], IncludePublicKey: true })))?.KeyPairs?.[0];
    if (pair === undefined) return undefined;
    return {
      arn: `arn:${api.partition}:ec2:${api.region}:${await api.account()}:key-pair/${id}`,
      keyName: pair.KeyName,
      keyPairId: pair.KeyPairId,
      keyType: pair.KeyType,
      fingerprint: pair.KeyFingerprint,
      ...observedTags(pair.Tags),
    };
  },
  async update(api, _, { olds, news }) {
    await changeEc2Tags(api, String(olds["keyPairId"]), olds, news);
  },
  async remove(api, id) {
    const ec2 = await api.client("ec2");
    await removed(ec2.deleteKeyPair({ KeyName: id }));
  },
});
