import { buildModule } from '@nomicfoundation/hardhat-ignition/modules';

import { buildGateway } from '../gateway.ts';

/** A deployment with a token of its own for bonds and fees, that anybody can mint. For local networks only. */
export default buildModule('KeyloomDevnet', (m) => {
  const bondToken = m.contract('DevnetToken');
  return { bondToken, ...buildGateway(m, bondToken, bondToken) };
});
