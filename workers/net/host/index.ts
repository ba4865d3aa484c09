export { createHost, type Host, type HostOptions, type Peer } from './host.ts';
export { generatePeerKey, peerIdFromBytes, peerIdOf, peerIdToBytes } from './peer-id.ts';
