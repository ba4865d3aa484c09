import { mnemonicToAccount, type HDAccount } from 'viem/accounts';

/** The well-known phrase of Hardhat's funded test accounts. Worth nothing anywhere else. */
const TEST_PHRASE = 'test test test test test test test test test test test junk';

const account = (addressIndex: number): HDAccount =>
  mnemonicToAccount(TEST_PHRASE, { addressIndex });

/** Deploys, governs and requests keys. */
export const governor = account(0);

/** Owns ciphertexts and asks for their decryption. */
export const user = account(1);

/** Owner of the operator with this committee index (1-based): registers it and holds its bond. */
export const operatorOwner = (index: number): HDAccount => account(1 + index);

/** Others who own ciphertexts and ask for their decryption: 1 to 5, behind the owners of 13 operators. */
export const otherUser = (number: number): HDAccount => account(14 + number);
