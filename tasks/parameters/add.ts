import { setOf } from '../arguments.ts';
import { action } from '../run.ts';
import { addParameterSet } from '../support/parameters.ts';
import type { AddArguments } from './index.ts';

/** `kms parameters add` */
export default action<AddArguments>(async (args, { gateway, progress }) => {
  const set = setOf(args.set);
  progress.say('recording the parameter set');
  const id = await addParameterSet(gateway, set);
  return { json: { id, name: set.name }, lines: [`parameter set ${set.name} is ${id}`] };
});
