export { createHost, type Host, type HostOptions, type Peer } from './host.ts';
export { type LimitName, limitNames, type Refusals } from './admission.ts';
export { generatePeerKey, peerIdFromBytes, peerIdOf, peerIdToBytes } from './peer-id.ts';
export { type Rate } from './token-bucket.ts';
export { type Traffic } from './traffic.ts';
