import { idOf } from '../arguments.ts';
import { action } from '../run.ts';
import { describeKey } from '../status/key.ts';
import type { StatusArguments } from './index.ts';

/** `kms key status` */
export default action<StatusArguments>(async ({ id }, { gateway }) =>
  describeKey(gateway, idOf(id, 'the id')),
);
