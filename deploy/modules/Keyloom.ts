import { buildModule } from '@nomicfoundation/hardhat-ignition/modules';

import { buildGateway } from '../gateway.ts';

/** A deployment with existing ERC-20s for bonds and fees: parameters `bondToken` and `feeToken`. */
export default buildModule('Keyloom', (m) =>
  buildGateway(m, m.getParameter('bondToken'), m.getParameter('feeToken')),
);
