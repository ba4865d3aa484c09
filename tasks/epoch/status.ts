import { idOf } from '../arguments.ts';
import { action } from '../run.ts';
import { describeEpoch } from '../status/epoch.ts';
import type { StatusArguments } from './index.ts';

/** `kms epoch status ID` */
export default action<StatusArguments>((args, { gateway }) =>
  describeEpoch(gateway, idOf(args.id, 'the id')),
);
