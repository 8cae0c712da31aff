/** How EC2 is reached; what is left out is the AWS SDK's own chain to decide. Secret as a whole. */
export interface Ec2Connection {
  readonly region: string;
  /** Left out: AWS itself. */
  readonly endpoint?: string;
  readonly profile?: string;
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly token?: string;
}

/** Kind `key`: an SSH key that is made once. */
export interface KeySpec {
  /** Comment of the key. */
  readonly comment: string;
}

/** Kind `hostKey`: the public key of an instance, from its console. Ends what earlier runs have left of the host's machine. */
export interface HostKeySpec {
  readonly connection: Ec2Connection;
  readonly instanceId: string;
  /** As the stack has it, and as the machine's tags say. */
  readonly host: string;
  readonly stack: string;
  /** Which machine of the host it is, from 1. */
  readonly generation: number;
  /** Where SSH is to answer before the machine counts as there. Left out: it isn't looked at. */
  readonly address?: string;
  readonly port?: number;
  /** Another one means a machine that was stopped and started; told so that this is noticed. */
  readonly type?: string;
  /** Seconds that a machine has to answer SSH. @default 180 */
  readonly answerSeconds?: number;
  /** Seconds that a machine has to boot and print its key. @default 600, as a console that isn't live comes late */
  readonly deadlineSeconds?: number;
}
export interface HostKeyResult {
  readonly instanceId: string;
  /** `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}
