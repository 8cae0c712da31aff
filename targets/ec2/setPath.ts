/** The command that sets a field of an instance. */
export function setPath(instance: string, field: string, value: string): string {
  return `pulumi config set --path ${path(instance, field)} ${value}`;
}

/** The command that takes a field of an instance away. */
export const removePath = (instance: string, field: string): string =>
  `pulumi config rm --path ${path(instance, field)}`;

const path = (instance: string, field: string): string => `ec2:instances.${instance}.${field}`;
