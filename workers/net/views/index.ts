/** `/keyloom/views/1`: an operator's signed view of the chain at a height. */
export { type SignedView, type ViewQuestion } from './codec.ts';
export { ask, askUntilAnswered, register } from './service.ts';
