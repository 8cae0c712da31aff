/** Where a service with a disk keeps its environment and folder, for sessions that are opened in its instance later. */
const file = "/tmp/homeport-shell";

/** Run by the service's shell before anything else. Nobody but the service's user and root can read what it writes. */
export const rememberPlace = `( umask 077; export PWD; export -p >${file} )`;

/**
 * A command line of a login shell that runs as the service does: with its environment, also what its image sets, and in its
 * folder. Without what was remembered it has what the session has, which are the service's variables.
 */
export const inServicesPlace = (line: string): string => `[ -r ${file} ] && . ${file} && cd "$PWD"; ${line}`;
