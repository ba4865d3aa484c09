export { answer, type Answerer, type LongAnswer } from './answer.ts';
export { ask, askUntilAnswered, untilAnswered, type AskOptions } from './ask.ts';
export { Refusal, RefusalCode } from './frames.ts';
export { createService, type Codec, type Provider, type Service } from './service.ts';
