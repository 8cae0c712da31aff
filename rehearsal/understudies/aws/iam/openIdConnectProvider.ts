import { resource } from "../resource";
import { map, set, text } from "../schema";
import { ifThere, removed } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";

/** aws.iam.OpenIdConnectProvider */
export const openIdConnectProvider = resource({
  token: "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
  regional: false,
  inputs: {
    clientIdLists: set(text(), { required: true }),
    tags: map(),
    thumbprintLists: set(text(), { computed: true }),
    url: text({ required: true, replaces: true }),
  },
  outputs: ["arn", "tagsAll"],
  check: ({ url }) =>
    (url ?? "https://").startsWith("https://")
      ? []
      : [{ property: "url", reason: `"${url}" has to begin with https://` }],
  async create(api, inputs) {
    const iam = await api.client("iam");
    const { OpenIDConnectProviderArn } = await iam.createOpenIDConnectProvider({
      ClientIDList: inputs.clientIdLists,
      Tags: tagList(inputs.tags),
      ThumbprintList: inputs.thumbprintLists,
      Url: inputs.url,
    });
    return OpenIDConnectProviderArn ?? "";
  },
  async read(api, id) {
    const iam = await api.client("iam");
    const found = await ifThere(iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn: id }));
    if (found === undefined) return undefined;
    return {
      arn: id,
      clientIdLists: found.ClientIDList,
      thumbprintLists: found.ThumbprintList,
      // AWS leaves the scheme out.
      url: found.Url?.startsWith("https://") === true ? found.Url : `https://${found.Url ?? ""}`,
      ...observedTags(found.Tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const iam = await api.client("iam");
    const OpenIDConnectProviderArn = id;
    if (changed.has("thumbprintLists")) {
      await iam.updateOpenIDConnectProviderThumbprint({
        OpenIDConnectProviderArn,
        ThumbprintList: news.thumbprintLists,
      });
    }
    const before = (olds["clientIdLists"] ?? []) as string[];
    for (const ClientID of news.clientIdLists.filter((each) => !before.includes(each))) {
      await iam.addClientIDToOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID });
    }
    for (const ClientID of before.filter((each) => !news.clientIdLists.includes(each))) {
      await iam.removeClientIDFromOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID });
    }
    await changeTags(
      olds,
      news,
      (tags) => iam.tagOpenIDConnectProvider({ OpenIDConnectProviderArn, Tags: tagList(tags) }),
      (TagKeys) => iam.untagOpenIDConnectProvider({ OpenIDConnectProviderArn, TagKeys }),
    );
  },
  async remove(api, id) {
    const iam = await api.client("iam");
    await removed(iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn: id }));
  },
});
