import { buildModule } from '@nomicfoundation/hardhat-ignition/modules';

import { buildGateway } from '../gateway.ts';

/** A deployment with an existing ERC-20 as bond token: parameter `bondToken`. */
export default buildModule('Keyloom', (m) => buildGateway(m, m.getParameter('bondToken')));
