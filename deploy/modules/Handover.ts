import { buildModule } from '@nomicfoundation/hardhat-ignition/modules';

import { Role } from '../roles.ts';
import Keyloom from './Keyloom.ts';

/**
 * Makes another account admin, with a delay between announcing and executing what it does. The
 * deployer stays admin until the new one revokes it, which also shows that the new one can act.
 * Parameters: `admin`, `adminDelaySeconds`.
 */
export default buildModule('Handover', (m) => {
  const { authority } = m.useModule(Keyloom);
  m.call(authority, 'grantRole', [
    Role.admin,
    m.getParameter<string>('admin'),
    m.getParameter('adminDelaySeconds', 172_800n),
  ]);
  return { authority };
});
