export { createHost, type Host, type HostOptions, type Peer } from './host.ts';
export { generatePeerKey, peerIdFromBytes, peerIdOf, peerIdToBytes } from './peer-id.ts';
export { type Traffic } from './traffic.ts';
