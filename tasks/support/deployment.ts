import { readFileSync } from 'node:fs';
import { isAddress, type Address } from 'viem';

import { ClientError, ClientErrorCode } from './errors.ts';

/** Where `npm run devnet` says what it started; tasks on the network `devnet` read it. */
export const DEPLOYMENT_FILE = '.devnet/deployment.json';

/** The part of a deployment file that clients need. */
export interface Deployment {
  rpcUrl: string;
  /** Address of the DecryptionGateway. */
  gateway: Address;
}

/** Reads a deployment file. @throws ClientError `GATEWAY_UNKNOWN` */
export function readDeployment(file: string): Deployment {
  const advice =
    'Start one with `npm run devnet`, or name a gateway with --gateway or KEYLOOM_GATEWAY.';
  let value: Partial<Record<keyof Deployment, unknown>>;
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as typeof value;
  } catch (cause) {
    throw new ClientError(ClientErrorCode.GATEWAY_UNKNOWN, `no local network has left ${file}`, {
      advice,
      cause,
    });
  }
  const { rpcUrl, gateway } = value;
  if (typeof rpcUrl === 'string' && typeof gateway === 'string' && isAddress(gateway))
    return { rpcUrl, gateway };
  throw new ClientError(
    ClientErrorCode.GATEWAY_UNKNOWN,
    `${file} does not name an rpcUrl and a gateway`,
    { advice },
  );
}
