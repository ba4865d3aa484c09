import { encodeAbiParameters, keccak256, parseAbiParameters, type Hex } from 'viem';

const layouts = {
  window: parseAbiParameters('bytes32, uint256'),
  place: parseAbiParameters('bytes32, uint8'),
};

/**
 * How many operators of an epoch come before this one in looking after what ended at a time. All that
 * ended in the same `windowSeconds` has one order, so that one operator has it in one transaction; the
 * next window has another. Anybody may do it; turns only save gas.
 *
 * @param endSeconds timestamp
 * @param index committee index, from 1
 */
export function rankAt(
  epochId: Hex,
  n: number,
  index: number,
  endSeconds: bigint,
  windowSeconds: bigint,
): number {
  const window = keccak256(
    encodeAbiParameters(layouts.window, [epochId, endSeconds / windowSeconds]),
  );
  const place = (of: number): Hex => keccak256(encodeAbiParameters(layouts.place, [window, of]));
  const own = place(index);
  return Array.from({ length: n }, (_, at) => at + 1).filter((of) => place(of) < own).length;
}
