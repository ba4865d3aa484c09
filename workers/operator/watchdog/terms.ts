/** What submitting evidence may cost, and what the reward has to be. */
export interface EvidenceTerms {
  /** Most that one submission may cost: gas at the offered fee, without an L2's fee for data on L1. */
  readonly maxCostWei: bigint;
  /** Least reward, in the bond token's smallest unit. */
  readonly minRewardWei: bigint;
}

/**
 * A tenth of an ether, which is dear on any L2 and a busy day on Ethereum; and for no reward at all, since
 * a liar endangers everybody's keys. The reward is in another token, so nothing here can weigh the two.
 */
export const defaultEvidenceTerms: EvidenceTerms = {
  maxCostWei: 10n ** 17n,
  minRewardWei: 0n,
};
