/** What submitting evidence may cost, and what the reward has to be. */
export interface EvidenceTerms {
  /** Most that one submission may cost: gas at the offered fee, without an L2's fee for data on L1. */
  readonly maxCostWei: bigint;
  /** Least reward, in the bond token's smallest unit. */
  readonly minRewardWei: bigint;
}

/** A hundredth of an ether; and for no reward at all, since a liar endangers everybody's keys. */
export const defaultEvidenceTerms: EvidenceTerms = {
  maxCostWei: 10n ** 16n,
  minRewardWei: 0n,
};
