import { createService } from '../exchange/index.ts';
import { codec } from './codec.ts';

export const { register, ask, askUntilAnswered } = createService(codec);
