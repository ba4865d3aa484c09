/** `/keyloom/shares/2`: an operator's share in an opening, and its signed commitment. */
export { type ShareQuestion, type ShareShape, type SignedShare } from './codec.ts';
export { ask, askUntilAnswered, register } from './service.ts';
