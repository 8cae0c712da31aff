import type { Driver } from "../driver";
import { readHostKey } from "./hostKey";
import { makeSshKey, type SshKey } from "./openSshKey";
import { resultBefore } from "../resultBefore";
import type { HostKeySpec, KeySpec } from "./spec";

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

/**
 * Platform `ec2`: what the aws provider has no resource for. Kind `key` is an SSH key, made once and kept in the stack's
 * state, the one result that is secret; kind `hostKey` is the public key of an instance. Neither leaves anything to delete.
 */
export const ec2: Readonly<Record<"key" | "hostKey", Driver>> = {
  key: {
    apply: (spec) => {
      const { publicKey, privateKey } = resultBefore<SshKey>();
      // A key that is there is never made anew: machines know it.
      if (publicKey !== undefined && privateKey !== undefined) return Promise.resolve({ publicKey, privateKey });
      return Promise.resolve(makeSshKey((spec as KeySpec).comment));
    },
    delete: nothing,
  },
  hostKey: { apply: (spec, io) => readHostKey(spec as HostKeySpec, io), delete: nothing },
};
