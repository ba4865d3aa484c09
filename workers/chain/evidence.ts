import type { Address } from 'viem';
import { flawNumbers } from '../ceremony/flaw.ts';
import { decodeState } from '../ceremony/state.ts';
import type { Evidence } from '../protocols/evidence.ts';
import { slashingManagerAbi } from './abi.ts';
import type { ContractCall } from './sender.ts';

/**
 * The call that submits evidence. Anybody may send it.
 *
 * @param beneficiary who gets the reward
 */
export function evidenceCall(
  slashingManager: Address,
  evidence: Evidence,
  beneficiary: Address,
): ContractCall<typeof slashingManagerAbi> {
  const contract = { address: slashingManager, abi: slashingManagerAbi };
  const { epochId, subject, index } = evidence;
  switch (evidence.kind) {
    case 'wrong-share': {
      const { opening, position, accusers, accused } = evidence;
      return {
        ...contract,
        functionName: 'proveWrongShare',
        args: [epochId, opening, BigInt(position), accusers, accused, beneficiary],
      };
    }
    case 'equivocation': {
      const { first, second } = evidence;
      return {
        ...contract,
        functionName: 'proveEquivocation',
        args: [epochId, subject, index, first, second, beneficiary],
      };
    }
    case 'wrong-result': {
      const { source, resultHash, signature } = evidence;
      return {
        ...contract,
        functionName: 'proveWrongResult',
        args: [source, subject, index, resultHash, signature, beneficiary],
      };
    }
    case 'wrong-contribution': {
      const { ceremonyId, previous, next, flaw, signature } = evidence;
      const state = decodeState(next);
      const accused = [{ index, signature }];
      const shown = { ...flaw, kind: flawNumbers[flaw.kind] };
      return {
        ...contract,
        functionName: 'proveWrongContribution',
        args: [epochId, ceremonyId, previous, state, shown, accused, beneficiary],
      };
    }
  }
}
