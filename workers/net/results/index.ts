/** `/keyloom/results/1`: an operator's signature on a result, and the result. */
export { type ResultQuestion, type ResultShape, type SignedResult } from './codec.ts';
export { ask, askUntilAnswered, register } from './service.ts';
