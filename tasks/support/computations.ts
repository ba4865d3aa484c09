import type { Hex } from 'viem';

import type { Registration } from '../../sdk/index.ts';
import { compileExpression } from '../../workers/computations/expression.ts';
import { serializeProgram } from '../../workers/computations/format.ts';
import type { Program } from '../../workers/computations/program.ts';
import { ciphertextOf } from './ciphertexts.ts';
import type { Gateway } from './gateway.ts';
import { registerByProof, type RegisteredByProof } from './proven.ts';
import { walletOf } from './transactions.ts';

/**
 * Has a committee compute with registered ciphertexts and registers the result: the operators run the program
 * themselves, so it takes no role, only the right to have all inputs decrypted. The account owns the result.
 *
 * @param options.expression see docs/computations.md, Expressions
 * @param options.names handles by the names that the expression has for them
 * @param options.keyId key of the result; that of the first input if absent
 * @throws ComputationError with the column for an expression that means nothing; ClientError
 * `NOT_REGISTERED`, and what {@link registerByProof} throws
 */
export async function computeAndRegister(
  gateway: Gateway,
  options: {
    expression: string;
    names: Readonly<Record<string, Hex>>;
    keyId?: Hex;
    onProgress?: (text: string) => void;
  },
): Promise<RegisteredByProof & { program: Program }> {
  const { expression, names, onProgress } = options;
  // The contract takes it from nobody else.
  const owner = walletOf(gateway).account.address;
  const program = compileExpression(expression, names);
  const inputs = await Promise.all(program.inputs.map((handle) => ciphertextOf(gateway, handle)));
  const registration: Registration = {
    ...{ keyId: options.keyId ?? inputs[0].keyId, owner },
    origin: 'computed',
    // The operators compute it themselves.
    ciphertext: new Uint8Array(),
    proof: serializeProgram(program),
  };
  return { ...(await registerByProof(gateway, registration, onProgress)), program };
}
