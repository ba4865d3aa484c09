import type { Group } from './points.ts';

/** What a thread is asked. Scalars are in shared memory, which the asker wipes. */
export type Task =
  | {
      readonly kind: 'scale';
      readonly group: Group;
      readonly points: Uint8Array<ArrayBuffer>;
      /** first ‖ ratio */
      readonly scalars: Uint8Array;
      /** The first point is multiplied by first·ratio^skip. */
      readonly skip: number;
    }
  | {
      readonly kind: 'sum';
      readonly group: Group;
      readonly points: Uint8Array<ArrayBuffer>;
      readonly coefficients: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: 'validate';
      readonly group: Group;
      readonly points: Uint8Array<ArrayBuffer>;
    };

/** Points, or for `validate` the position of the first invalid point, -1 if there is none. */
export type Answer = Uint8Array<ArrayBuffer> | number;
