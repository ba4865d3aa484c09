/** `/keyloom/values/1`: the opened value, from an operator that publishes it. */
export { type ValueQuestion, type ValueShape } from './codec.ts';
export { ask, askUntilAnswered, register } from './service.ts';
