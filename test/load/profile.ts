import type { Profiler } from 'node:inspector';

// What the main thread of an operator did while it was sampled, by what the innermost frame belongs to that
// says so. Work that continues after a pause has no frames of whoever began it: what libraries do for the
// chain or the network is told by the libraries.

const kinds: readonly [what: string, of: RegExp][] = [
  ['garbage collection', /^\(garbage collector\)/],
  ['signatures', /chain\/(signed-by|typed-data)|noble\/curves|accounts\//],
  ['reading ciphertexts', /store\/blobs|public\/blobs/],
  [
    'level switch and digest of ciphertexts',
    /decryption-input\.ts prepare|^prepare|fhe\/(pair|ciphertext)/,
  ],
  ['verdicts on ciphertexts', /registration\/|store\/verdicts/],
  ['own shares', /^share .*public-decryption|sharing\/(prss|expander)|floodedShare/],
  ['ids of openings', /sharing\/ids|^describe /],
  ['decoding and rounding', /sharing\/(opening|shamir)|^finish/],
  ['transcripts', /store\/transcripts/],
  ['journal', /store\/(database|openings|results|blocks|faults|entries)/],
  ['fees', /operator\/fees/],
  ['chain and events', /workers\/chain|chain-view|undici|viem/],
  [
    'network',
    /workers\/net|libp2p|chainsafe|multiformats|uint8array|it-|multistream|node:net|stream_base/,
  ],
  ['duties and bookkeeping', /workers\//],
];

/** Shares of the time in which the thread was not idle, largest first. */
export function shareOfTime(profile: Profiler.Profile): [what: string, share: number][] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const kindOf = (leaf: number): string => {
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const { functionName, url } = nodes.get(id)!.callFrame;
      const found = kinds.find(([, pattern]) => pattern.test(`${functionName} ${url}`));
      if (found !== undefined) return found[0];
    }
    return 'the rest: Node, timers, promises';
  };
  const spent = new Map<string, number>();
  let busy = 0;
  (profile.samples ?? []).forEach((id, at) => {
    const { functionName } = nodes.get(id)!.callFrame;
    // Sampling itself, and the time in which there was nothing to do.
    if (['(idle)', 'post'].includes(functionName)) return;
    const time = profile.timeDeltas?.[at] ?? 0;
    const kind = kindOf(id);
    busy += time;
    spent.set(kind, (spent.get(kind) ?? 0) + time);
  });
  return [...spent]
    .map(([what, time]): [string, number] => [what, time / busy])
    .sort(([, a], [, b]) => b - a);
}
