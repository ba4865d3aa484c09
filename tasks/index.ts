import { emptyTask } from 'hardhat/config';

import { auditTask } from './audit/index.ts';
import { computeTask } from './compute/index.ts';
import { crsTasks } from './crs/index.ts';
import { decryptTask } from './decrypt/index.ts';
import { encryptTask } from './encrypt/index.ts';
import { epochTasks } from './epoch/index.ts';
import { evidenceTasks } from './evidence/index.ts';
import { feesTasks } from './fees/index.ts';
import { keyTasks } from './key/index.ts';
import { keygenTask } from './keygen/index.ts';
import { keyswitchTask } from './keyswitch/index.ts';
import { meterTasks } from './meter/index.ts';
import { operatorTasks } from './operator/index.ts';
import { parametersTasks } from './parameters/index.ts';
import { permitTask } from './permit/index.ts';
import { proofTasks } from './proof/index.ts';
import { registerTask } from './register/index.ts';
import { slashTasks } from './slash/index.ts';
import { stakeTasks } from './stake/index.ts';
import { statusTask } from './status/index.ts';
import { userDecryptTask } from './user-decrypt/index.ts';
import { userKeysTask } from './user-keys/index.ts';

/** The tasks of the scope `kms`; see docs/tasks.md. */
export const kmsTasks = [
  emptyTask('kms', 'Use and run a Keyloom gateway').build(),
  ...operatorTasks,
  ...epochTasks,
  ...parametersTasks,
  keygenTask,
  keyswitchTask,
  ...keyTasks,
  ...crsTasks,
  encryptTask,
  ...proofTasks,
  computeTask,
  registerTask,
  decryptTask,
  userKeysTask,
  permitTask,
  userDecryptTask,
  ...meterTasks,
  ...feesTasks,
  ...stakeTasks,
  ...evidenceTasks,
  ...slashTasks,
  statusTask,
  auditTask,
];
