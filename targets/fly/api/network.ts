import { createOnce, hasStatus } from "../../../drivers/http";
import { absent } from "./connection";
import type { Fly } from "./fly";
import type { Certificate, IpAssignment } from "./types";

const seconds = 60;

export async function listIps(fly: Fly, app: string): Promise<IpAssignment[]> {
  return (await fly.call<{ ips?: IpAssignment[] | null }>("GET", `/apps/${app}/ip_assignments`)).ips ?? [];
}

/** @param find looks for the address where the answer was lost */
export function assignIp(
  fly: Fly,
  app: string,
  body: { type: string; region?: string },
  find: () => Promise<IpAssignment | undefined>,
): Promise<IpAssignment> {
  const deadline = fly.deadline(seconds, `an address of kind ${body.type} to be assigned`);
  const create = () => fly.call<IpAssignment>("POST", `/apps/${app}/ip_assignments`, { body, deadline });
  return createOnce(fly.client, { deadline, create, find });
}

export async function releaseIp(fly: Fly, app: string, ip: string): Promise<void> {
  await fly.call("DELETE", `/apps/${app}/ip_assignments/${ip}`, { accept: [404] });
}

export function certificateOf(fly: Fly, app: string, host: string): Promise<Certificate | undefined> {
  return absent(fly.call<Certificate>("GET", `/apps/${app}/certificates/${host}`));
}

/** Without what DNS has to say, which one's own answer has alone. */
export async function listCertificates(fly: Fly, app: string): Promise<Certificate[]> {
  type Listed = { certificates?: Certificate[] | null };
  // As many as one answer can have; the usual is 25.
  const query = { limit: 500 };
  return (await fly.call<Listed>("GET", `/apps/${app}/certificates`, { query })).certificates ?? [];
}

/** Milliseconds between looks for a certificate that is said to be there. */
const looks = [0, 1_000, 3_000];

/**
 * Asks for a certificate, or takes the one that is there: the list may not tell of a new one yet.
 * @returns whether it was made by this call, too
 * @throws ApiError 422 where Fly doesn't take the name, or another app has it
 */
export async function addCertificate(
  fly: Fly,
  app: string,
  hostname: string,
): Promise<{ readonly certificate: Certificate; readonly isNew: boolean }> {
  const deadline = fly.deadline(seconds, `the certificate of ${hostname} to be asked for`);
  const create = () =>
    fly.call<Certificate>("POST", `/apps/${app}/certificates/acme`, { body: { hostname }, deadline });
  const find = () => certificateOf(fly, app, hostname);
  try {
    return { certificate: await createOnce(fly.client, { deadline, create, find }), isNew: true };
  } catch (error) {
    if (!hasStatus(error, 409, 422)) throw error;
    for (const wait of looks) {
      if (!(await fly.client.pause(wait, deadline))) break;
      const certificate = await find();
      if (certificate !== undefined) return { certificate, isNew: false };
    }
    throw error;
  }
}

export async function removeCertificate(fly: Fly, app: string, host: string): Promise<void> {
  await fly.call("DELETE", `/apps/${app}/certificates/${host}`, { accept: [404] });
}
