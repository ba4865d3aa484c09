import type { Hex } from 'viem';

import type { OperatorContext } from './context.ts';
import type { NamedFault, RequestProgress } from './progress.ts';

/**
 * Steps of the work on a request that are measured, in the order in which they come: agreeing on the
 * block, loading inputs, making and offering a share, collecting shares or having an opener collect
 * them, making and checking a contribution, collecting signatures, sending the transaction.
 */
export const STEPS = [
  'agree',
  'load',
  'share',
  'collect',
  'open-through',
  'contribute',
  'check',
  'certify',
  'submit',
] as const;

export type Step = (typeof STEPS)[number];

/** What is told of an operator's work. Nothing here may throw, and nothing depends on it. */
export interface Observer {
  /** A request is known, or has come to another step. */
  onRequest?(progress: Readonly<RequestProgress>): void;
  onFault?(subject: Hex, fault: NamedFault): void;
  /** A step begins. What is returned is called at its end, with the error if it failed. */
  onStep?(progress: Readonly<RequestProgress>, step: Step): (error?: unknown) => void;
  /** Fees of so many requests were looked after in one transaction. */
  onFees?(work: 'attest' | 'settle' | 'expire', requests: number): void;
}

/** Tells several observers. */
export function observers(all: readonly Observer[]): Required<Observer> {
  return {
    onRequest: (progress) => {
      for (const one of all) one.onRequest?.(progress);
    },
    onFault: (subject, fault) => {
      for (const one of all) one.onFault?.(subject, fault);
    },
    onStep: (progress, step) => {
      const ends = all.map((one) => one.onStep?.(progress, step));
      return (error) => {
        for (const end of ends) end?.(error);
      };
    },
    onFees: (work, requests) => {
      for (const one of all) one.onFees?.(work, requests);
    },
  };
}

/** Does a step of the work on a request, and has it measured. */
export async function measured<T>(
  { observer, progress }: Pick<OperatorContext, 'observer' | 'progress'>,
  subject: Hex,
  step: Step,
  work: () => Promise<T>,
): Promise<T> {
  const entry = progress.get(subject);
  // What is worked on is in the book; a request that the chain has dropped meanwhile is not.
  if (entry === undefined) return work();
  const end = observer.onStep(entry, step);
  try {
    const value = await work();
    end();
    return value;
  } catch (error) {
    end(error);
    throw error;
  }
}
