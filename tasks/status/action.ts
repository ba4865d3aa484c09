import type { Hex } from 'viem';

import { isKeyloomError } from '../../workers/errors.ts';
import { idOf } from '../arguments.ts';
import type { TaskResult } from '../output.ts';
import { action } from '../run.ts';
import { ClientError, ClientErrorCode } from '../support/errors.ts';
import type { Gateway } from '../support/gateway.ts';
import { describeCeremony } from './ceremony.ts';
import { describeCiphertext } from './ciphertext.ts';
import { describeDeployment } from './deployment.ts';
import { describeEpoch } from './epoch.ts';
import type { StatusArguments } from './index.ts';
import { describeKey } from './key.ts';
import {
  describeEvaluationKeys,
  describePublicDecryption,
  describeUserDecryption,
} from './request.ts';

/** What an id may stand for, and the code that says it does not. Ids are hashes: at most one fits. */
const KINDS: readonly [(gateway: Gateway, id: Hex) => Promise<TaskResult>, ClientErrorCode][] = [
  [describePublicDecryption, ClientErrorCode.UNKNOWN_ID],
  [describeUserDecryption, ClientErrorCode.UNKNOWN_ID],
  [describeEvaluationKeys, ClientErrorCode.UNKNOWN_ID],
  [describeCeremony, ClientErrorCode.UNKNOWN_ID],
  [describeKey, ClientErrorCode.UNKNOWN_KEY],
  [describeCiphertext, ClientErrorCode.NOT_REGISTERED],
  [describeEpoch, ClientErrorCode.UNKNOWN_EPOCH],
];

/** `kms status [ID]` */
export default action<StatusArguments>(async (args, { gateway }) => {
  if (args.id === '') return describeDeployment(gateway);
  const id = idOf(args.id, 'the id');
  for (const [describe, unknown] of KINDS) {
    try {
      return await describe(gateway, id);
    } catch (error) {
      if (!isKeyloomError(error, unknown)) throw error;
    }
  }
  throw new ClientError(ClientErrorCode.UNKNOWN_ID, `the chain knows nothing as ${id}`, {
    advice: '`kms status` without an id lists what there is.',
    metadata: { id },
  });
});
