import { KeyloomError } from '../errors.ts';

export const CurveErrorCode = {
  /** Bytes are not a whole number of points, scalars or coefficients, or do not match in number. */
  LENGTH: 'CURVE_LENGTH',
  /** A scalar is not below the group order. */
  SCALAR_OUT_OF_RANGE: 'CURVE_SCALAR_OUT_OF_RANGE',
  /** A point is no element of its group in canonical form: for a function that needs one. */
  NOT_A_POINT: 'CURVE_NOT_A_POINT',
  /** A thread ended by itself, or its arithmetic failed: the pool takes no more work. */
  THREAD_DIED: 'CURVE_THREAD_DIED',
  /** The pool was closed before the work was done. */
  CLOSED: 'CURVE_CLOSED',
} as const;

export type CurveErrorCode = (typeof CurveErrorCode)[keyof typeof CurveErrorCode];

/** An error of the curve arithmetic. Scalars never enter its metadata. */
export class CurveError extends KeyloomError<CurveErrorCode> {}
