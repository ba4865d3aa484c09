/** `/keyloom/setup/1`: a dealer's seed hashes, and those of its seeds that the asker may have. */
export { type DealingPart, type SetupQuestion } from './codec.ts';
export { ask, askUntilAnswered, register } from './service.ts';
