import { randomBytes } from 'node:crypto';
import { context as noParent, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider, type IdGenerator } from '@opentelemetry/sdk-trace';
import type { Address, Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import { OperatorErrorCode } from '../errors.ts';
import type { Observer } from '../observing.ts';
import type { RequestProgress } from '../progress.ts';

/** How long an export may take, and the end of the process waits for the last one. */
const EXPORT_TIMEOUT_MS = 5_000;

/**
 * The trace of a request: the first 16 bytes of its id, which is a hash. So all operators, and whoever
 * knows the id, have the same one without telling each other.
 */
export const traceIdOf = (requestId: Hex): string => requestId.slice(2, 34).toLowerCase();

/** Gives the first span of a request the request's trace. */
class RequestTraces implements IdGenerator {
  traceId = '';
  generateTraceId(): string {
    return this.traceId;
  }
  generateSpanId(): string {
    return randomBytes(8).toString('hex');
  }
}

/** Makes traces of an operator's work, and sends them. */
export interface Tracing {
  readonly observer: Observer;
  /** Sends what is left. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts to send traces to an OTLP/HTTP receiver. One that does not answer loses them and delays nothing.
 *
 * A request is one span of each operator, from its first sight to its end, and each step is a span below
 * it. All that they carry is public: ids, kinds, states, error codes and committee indices.
 */
export function startTracing(url: string, signer: Address): Tracing {
  const ids = new RequestTraces();
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'keyloom-operator',
      'service.instance.id': signer,
    }),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  });
  const tracer = provider.getTracer('keyloom');
  const open = new Map<Hex, Span>();

  const start = (name: string, { id, kind }: Readonly<RequestProgress>): Span => {
    const attributes = { 'keyloom.request.id': id, 'keyloom.request.kind': kind };
    const parent = open.get(id);
    ids.traceId = traceIdOf(id);
    return parent === undefined
      ? tracer.startSpan(name, { root: true, attributes })
      : tracer.startSpan(name, { attributes }, trace.setSpan(noParent.active(), parent));
  };
  const end = (id: Hex): void => {
    open.get(id)?.end();
    open.delete(id);
  };

  const observer: Observer = {
    onRequest: (progress) => {
      const { id, state } = progress;
      const isOver = state === 'recorded' || state === 'expired';
      if (!open.has(id) && !isOver) open.set(id, start('request', progress));
      open.get(id)?.addEvent(state).setAttribute('keyloom.request.state', state);
      if (isOver) end(id);
    },
    onFault: (subject, { index, reason }) => {
      const about = { 'keyloom.fault.index': index, 'keyloom.fault.reason': reason };
      open.get(subject)?.addEvent('fault', about);
    },
    onStep: (progress, step) => {
      const span = start(step, progress);
      return (error) => {
        if (error !== undefined) fail(span, error);
        span.end();
      };
    },
  };
  const stop = async (): Promise<void> => {
    for (const id of [...open.keys()]) end(id);
    await provider.shutdown().catch(() => undefined);
  };
  return { observer, stop };
}

/** Notes the code of an error: its message may be somebody else's words. */
function fail(span: Span, error: unknown): void {
  const code = isKeyloomError(error) ? error.code : 'UNEXPECTED';
  span.setAttribute('error.type', code);
  // What is no longer asked for has not failed.
  if (code !== OperatorErrorCode.STOPPED)
    span.setStatus({ code: SpanStatusCode.ERROR, message: code });
}
