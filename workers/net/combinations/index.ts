/** `/keyloom/combinations/1`: random combinations of an operator's share, to check a value by. */
export { type CombinationQuestion, type CombinationShape } from './codec.ts';
export { ask, askUntilAnswered, register } from './service.ts';
