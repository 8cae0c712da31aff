/** The GraphQL documents of Tigris buckets, as flyctl has them (command/extensions, gql/genqclient.graphql). */
export const documents = {
  organization: `query ($slug: String!) { organization(slug: $slug) { id } }`,
  find: `query ($name: String!) { addOn(name: $name, provider: "tigris") { id name status errorMessage createdAt organization { slug } } }`,
  create: `mutation ($input: CreateAddOnInput!) { createAddOn(input: $input) { addOn { id name environment } } }`,
  delete: `mutation ($input: DeleteAddOnInput!) { deleteAddOn(input: $input) { deletedAddOnName } }`,
} as const;
