import { invalidArgument, setOf, stepsOf } from '../arguments.ts';
import { table } from '../output.ts';
import { action } from '../run.ts';
import { quotesOf } from '../support/fees.ts';
import { amountText, feeTokenOf } from '../support/payments.ts';
import type { QuoteArguments } from './index.ts';

/** Most ciphertexts of one request (MAX_HANDLES). */
const MAX_HANDLES = 16;

/** `kms fees quote` */
export default action<QuoteArguments>(async (args, { gateway }) => {
  const set = setOf(args.set);
  const { handles } = args;
  if (handles < 1 || handles > MAX_HANDLES)
    throw invalidArgument(`--handles must be 1 to ${MAX_HANDLES}`);
  const steps = stepsOf(args.galois, '--galois');
  const [token, quotes] = await Promise.all([
    feeTokenOf(gateway),
    quotesOf(gateway, set, { handles, steps }),
  ]);
  return {
    json: { parameterSet: set.name, token: token.address, quotes },
    lines: table([
      ['request', 'fee'],
      ...quotes.map(({ what, feeWei }) => [what, amountText(token, feeWei)]),
    ]),
  };
});
