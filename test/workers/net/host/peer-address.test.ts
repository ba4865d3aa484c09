import { describe, expect, it } from 'vitest';

import { NetErrorCode } from '../../../../workers/net/errors.ts';
import { parsePeerAddress } from '../../../../workers/net/host/peer-address.ts';

const peerId = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8';
const otherPeerId = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';

describe('addresses of peers', () => {
  it.each([
    '/ip4/10.0.0.1/tcp/4000',
    '/ip6/::1/tcp/4000',
    '/dns4/operator.example/tcp/4000',
    `/dns/operator.example/tcp/4000/p2p/${peerId}`,
  ])('accepts %s and names the peer', (address) => {
    expect(parsePeerAddress(peerId, address).toString()).toMatch(new RegExp(`/p2p/${peerId}$`));
  });

  it.each([
    '',
    'http://operator.example',
    '/ip4/10.0.0.1',
    '/ip4/10.0.0.1/tcp/0',
    '/ip4/10.0.0.1/tcp/99999',
    '/ip4/10.0.0.1/udp/4000',
    '/ip4/10.0.0.1/tcp/4000/ws',
    '/unix/var%2Frun%2Fsocket',
    '/dnsaddr/operator.example',
    '/dnsaddr/operator.example/tcp/4000',
    `/p2p/${peerId}`,
    `/ip4/10.0.0.1/tcp/4000/p2p/${otherPeerId}`,
    `/ip4/10.0.0.1/tcp/4000/p2p/${otherPeerId}/p2p-circuit/p2p/${peerId}`,
    `/ip4/10.0.0.1/tcp/4000/p2p/${peerId}/p2p-circuit`,
    `/dns/${'a'.repeat(300)}/tcp/4000`,
  ])('refuses %s', (address) => {
    expect(() => parsePeerAddress(peerId, address)).toThrow(
      expect.objectContaining({ code: NetErrorCode.addressInvalid, verdict: 'reject' }),
    );
  });
});
