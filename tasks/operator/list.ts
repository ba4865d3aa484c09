import { table } from '../output.ts';
import { action } from '../run.ts';
import { askAll, fetchHealth, type Answered, type Health } from '../support/operators.ts';
import { listOperators } from '../support/registration.ts';
import type { ListArguments } from './index.ts';

/** `kms operator list` */
export default action<ListArguments>(async (_, { gateway }) => {
  const registered = await listOperators(gateway);
  // An operator without a seat has no committee index; its place in the list stands in for it.
  const answers = await askAll(
    registered.map((one, position) => ({ ...one, index: position + 1 })),
    fetchHealth,
  );
  const operators = registered.map((one, position) => {
    const answer = answers[position];
    return { ...one, health: healthOf(answer, one.signer) };
  });
  return {
    json: { operators },
    lines:
      operators.length === 0
        ? ['no operator is registered yet']
        : table([
            ['operator', 'state', 'seats', 'bond (wei)', 'endpoint', 'health'],
            ...operators.map((one) => [
              one.operator,
              one.state,
              String(one.seats),
              String(one.bondWei),
              one.endpoint,
              one.health.reasons.length === 0
                ? one.health.status
                : `${one.health.status}: ${one.health.reasons.join(', ')}`,
            ]),
          ]),
  };
});

/** A health for the list; one that answers for another signer is said to. */
function healthOf(
  answer: Answered<Health>,
  signer: string,
): { status: string; reasons: string[]; height: number | undefined } {
  if ('failure' in answer)
    return { status: 'no answer', reasons: [answer.failure], height: undefined };
  const { status, reasons, height } = answer.answer;
  if (answer.answer.signer.toLowerCase() !== signer.toLowerCase())
    return {
      status: 'wrong operator',
      reasons: ['the endpoint answers for another signer'],
      height,
    };
  return { status, reasons, height };
}
