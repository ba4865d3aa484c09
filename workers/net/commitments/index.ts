/** `/keyloom/commitments/1`: which signed roots an operator holds, its own and others'. */
export {
  type CommitmentQuestion,
  type Commitments,
  type CommitmentShape,
  type RootOfOperator,
} from './codec.ts';
export { ask, askUntilAnswered, register } from './service.ts';
