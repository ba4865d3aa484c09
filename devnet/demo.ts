/**
 * `npm run demo [-- --operators 4] [-- --json FILE]`
 *
 * Shows the whole of Keyloom on one machine: a local L2, operators as separate processes, a key that
 * nobody holds, a computation on encrypted numbers, an answer that one user alone can read, and
 * decryptions while one operator is dead and while another one lies. Exits 0 only if every plaintext
 * matched, the liar was named and slashed, and the audit agrees.
 */
import type { Hex } from 'viem';

import { audit } from '../tasks/support/audit/audit.ts';
import { convicted } from '../tasks/support/audit/findings.ts';
import { earningsOf, quotesOf } from '../tasks/support/fees.ts';
import { downloadPublicKey, labelOf, requestKey, waitForKey } from '../tasks/support/keys.ts';
import { amountText, feeTokenOf } from '../tasks/support/payments.ts';
import { operatorAt } from '../tasks/support/registration.ts';
import { owedTo } from '../tasks/support/stake.ts';
import { parameterSet } from '../workers/ring/parameters.ts';
import { committeeOf } from '../workers/sharing/committee.ts';
import { governor, operatorOwner, user } from './accounts.ts';
import { bringUp } from './bring-up.ts';
import { holdCeremony } from './ceremony.ts';
import { computeAndDecrypt, computingKeys } from './computing.ts';
import { DevnetError, DevnetErrorCode } from './errors.ts';
import { runForUser } from './for-user.ts';
import { shorten } from './format.ts';
import { readOptions, runProgram } from './program.ts';
import { Reporter } from './reporter.ts';
import { hasOpened, requireMatch, RoundTrip, sampleSlots, waitUntilNamed } from './round-trip.ts';
import { waitUntilSlashed } from './slashed.ts';
import type { Workspace } from './workspace.ts';

const KEY_TIMEOUT_MS = 120_000;
const PARAMETER_SET = 'bfv-8192-b20';
const LIAR = 2;
/** The operator whose turn it is submits at once, the others wait for it in turn. */
const SLASH_DEADLINE_MS = 60_000;

async function demo(workspace: Workspace, reporter: Reporter, n: number): Promise<void> {
  const { t, quorum } = committeeOf(n);
  const set = parameterSet(PARAMETER_SET);
  reporter.title('Keyloom demo');
  reporter.text(
    `${n} operators hold the pieces of a decryption key that none of them knows.\n` +
      `Any ${quorum} of them decrypt together; ${t} may be dead or lie, and nobody notices in the result.`,
  );

  const { devnet, operators, epoch } = await bringUp(workspace, reporter, { n });
  await reporter.step(
    'Look at the prices',
    'Who asks has deposited a token; a request moves its fee to whoever will have served it.',
    async (report) => {
      const gateway = await devnet.as(user);
      const token = await feeTokenOf(gateway);
      const quotes = await quotesOf(gateway, set, { handles: 1, steps: [1] });
      const price = (start: string): string => {
        const quote = quotes.find(({ what }) => what.startsWith(start));
        return amountText(token, quote?.feeWei ?? 0n);
      };
      report.result(
        `a key ${price('key')}, a number ${price('decryption of one coefficient')}, a vector ${price('decryption of one ciphertext')}`,
      );
    },
  );
  const { keyId, publicKey } = await reporter.step(
    'Generate a key',
    `The secret key exists only as ${n} shares; the public key is an ordinary SEAL key (${set.name}).`,
    async (report) => {
      const gateway = await devnet.as(governor);
      const request = { epochId: epoch.epochId, set, label: labelOf('demo') };
      const requested = await requestKey(gateway, request);
      await waitForKey(gateway, requested.keyId, {
        timeoutMs: KEY_TIMEOUT_MS,
        onProgress: ({ text }) => report.progress(text),
      });
      const downloaded = await downloadPublicKey(gateway, requested.keyId);
      report.result(
        `key ${shorten(requested.keyId)}; ${downloaded.length} bytes match the digest on chain`,
      );
      return { keyId: requested.keyId, publicKey: downloaded };
    },
  );

  const roundTrip = new RoundTrip(devnet, set, keyId, publicKey);
  /** @param until of an answer, absent for any: others are asked for until there is one */
  const decrypt = (
    name: string,
    why: string,
    seed: bigint,
    prepare?: () => Promise<void>,
    until?: (requestId: Hex) => Promise<boolean>,
  ) =>
    reporter.step(name, why, async (report): Promise<Hex> => {
      await prepare?.();
      const run = async () => {
        const values = { slots: sampleSlots(set, seed) };
        const answered = await roundTrip.run(values, { onProgress: report.progress });
        requireMatch(answered);
        return answered;
      };
      let outcome = await run();
      while (until !== undefined && !(await until(outcome.requestId))) outcome = await run();
      const { decryptMs, signers } = outcome;
      report.result(
        `all ${set.degree} slots match, ${decryptMs} ms after the request; signed by ${list(signers)}`,
      );
      return outcome.requestId;
    });

  await decrypt(
    'Encrypt and decrypt a vector',
    'With a proof that it is an encryption: every operator checks it, and no role is needed.',
    1n,
  );
  await reporter.step(
    'Encrypt and decrypt one number',
    'Only coefficient 0 is opened: a share is a few bytes instead of a hundred thousand.',
    async (report) => {
      const value = 271_828n;
      const outcome = await roundTrip.run({ scalar: value }, { onProgress: report.progress });
      requireMatch(outcome);
      report.result(`${value} again, ${outcome.decryptMs} ms after the request`);
    },
  );

  await reporter.step(
    'Make keys to compute with',
    'A relinearization and a rotation key, as stock SEAL takes them; opened like everything else.',
    async (report) => {
      const gateway = await devnet.as(governor);
      const made = await computingKeys(gateway, set, keyId, [1], { onProgress: report.progress });
      const bytes = made.relinearization.length + made.galois.length;
      report.result(`${bytes} bytes, each entry with the digest that is on chain`);
    },
  );
  await reporter.step(
    'Compute on encrypted vectors',
    'Each operator runs the program with stock SEAL and these keys; only the result is decrypted.',
    async (report) => {
      const options = { onProgress: report.progress };
      const outcome = await computeAndDecrypt(roundTrip, epoch.committee, options);
      requireMatch(outcome);
      report.result(`all ${set.degree} slots of the rotated ${outcome.operation} match`);
    },
  );
  await reporter.step(
    'Decrypt for one user',
    'Three numbers in one answer under the user’s own SEAL key: operators and chain see no plaintext.',
    async (report) => {
      const numbers = [31_415n, 92_653n, 58_979n];
      const answer = await runForUser(roundTrip, numbers, { onProgress: report.progress });
      requireMatch(answer);
      report.result(`${answer.decrypted.join(', ')}, ${answer.decryptMs} ms after the request`);
    },
  );

  await reporter.step(
    'Hold a powers-of-tau ceremony',
    'One operator after the other multiplies by numbers it forgets; all others check all of it.',
    async (report) => {
      const gateway = await devnet.as(user);
      const held = await holdCeremony(gateway, epoch.epochId, { onProgress: report.progress });
      report.result(
        `2^${held.power} powers, ${held.count} contributions with the beacon, ${held.bytes} bytes of .ptau: all checked`,
      );
    },
  );

  const victim = operators[n - 1];
  await decrypt(
    `Kill operator ${n} and decrypt`,
    'SIGKILL, as if the power had failed. The others are still enough.',
    2n,
    () => victim.kill(),
  );
  const spare = operators.slice(0, t);
  await decrypt(
    `Restart operator ${n}, stop ${list(spare.map(({ index }) => index))} and decrypt`,
    'It finds its shares and set keys in its data directory; now it is needed for the quorum.',
    3n,
    async () => {
      victim.start();
      await victim.waitHealthy();
      for (const operator of spare) await operator.stop();
    },
  );
  const lied = await decrypt(
    `Let operator ${LIAR} lie and decrypt`,
    'It adds one to one number of its share: the smallest lie there is.',
    4n,
    async () => {
      const liar = operators[LIAR - 1];
      await liar.stop();
      for (const operator of operators) {
        if (operator === liar) operator.start({ conduct: 'shifted' });
        else if (spare.includes(operator)) operator.start();
      }
      await Promise.all(operators.map((operator) => operator.waitHealthy()));
    },
    // Everybody else may be faster than an operator that has just started: then it has lied to nobody.
    async (requestId) => {
      const opened = operators.map(({ endpoint }) => hasOpened(endpoint, requestId));
      return (await Promise.all(opened)).every(Boolean);
    },
  );
  await reporter.step(
    'Name the liar',
    'Each honest operator sees which share is off the common polynomial, and says so.',
    async (report) => {
      const fault = await waitUntilNamed(await devnet.as(governor), epoch, lied, LIAR);
      report.result(
        `operator ${fault.index} (${shorten(fault.operator)}): ${fault.reason}, according to ${list(fault.reportedBy)}`,
      );
    },
  );
  await reporter.step(
    'Audit that decryption',
    'Anybody can: from the chain and the operators’ signed shares, with the operators’ own code.',
    async (report) => {
      const gateway = await devnet.as(user);
      const result = await audit(gateway, lied, { onProgress: report.progress });
      const guilty = convicted(result.operators);
      if (result.failure !== undefined) throw result.failure;
      if (guilty.length !== 1 || guilty[0] !== LIAR)
        throw new DevnetError(DevnetErrorCode.DEMO_FAILED, 'The audit did not convict the liar.', {
          metadata: { guilty: guilty.join(', ') },
        });
      report.result(
        `the result follows from signed shares; operator ${LIAR} is convicted by its own signature`,
      );
    },
  );
  await reporter.step(
    'Slash the liar',
    'An honest operator has sent the evidence; the contract judged it by looking at one number.',
    async (report) => {
      const gateway = await devnet.as(governor);
      const token = await feeTokenOf(gateway);
      const { address } = operatorOwner(LIAR);
      const slashed = await waitUntilSlashed(gateway, address, { deadlineMs: SLASH_DEADLINE_MS });
      const [{ bondWei }, owedWei] = await Promise.all([
        operatorAt(gateway, address),
        owedTo(gateway, slashed.beneficiary),
      ]);
      if (bondWei !== 0n || owedWei < slashed.rewardWei || slashed.rewardWei === 0n)
        throw new DevnetError(DevnetErrorCode.DEMO_FAILED, 'The bond or the reward is wrong.');
      const reporterIndex =
        operators.findIndex(({ index }) => operatorOwner(index).address === slashed.beneficiary) +
        1;
      report.result(
        `operator ${LIAR} has lost its bond of ${amountText(token, slashed.slashedWei)}; operator ${reporterIndex} gets ${amountText(token, slashed.rewardWei)} for the evidence`,
      );
    },
  );
  await reporter.step(
    'What the operators have earned',
    'Whoever signed a result, or attested to it in time, is paid the same; the submitter also gets its gas.',
    async (report) => {
      const gateway = await devnet.as(governor);
      const token = await feeTokenOf(gateway);
      const earned = await Promise.all(
        operators.map(({ index }) => earningsOf(gateway, operatorOwner(index).address)),
      );
      report.result(
        earned
          .map((one, at) => {
            const paidWei = one?.balanceWei ?? 0n;
            return `${at + 1}: ${amountText(token, rounded(paidWei))}, to be settled ${amountText(token, rounded(one?.unsettledWei ?? 0n))}`;
          })
          .join('; '),
      );
    },
  );
}

/** To a thousandth of a token of 18 decimals. */
const rounded = (amountWei: bigint): bigint => amountWei - (amountWei % 10n ** 15n);

const list = (indices: readonly number[]): string =>
  `operator${indices.length === 1 ? '' : 's'} ${indices.join(', ')}`;

await runProgram(async (workspace) => {
  const { n, values } = readOptions('npm run demo [-- --operators 4|7|10|13] [--json FILE]', {
    json: { type: 'string' },
  });
  const reporter = new Reporter();
  let ok = false;
  try {
    await demo(workspace, reporter, n);
    ok = true;
  } finally {
    if (typeof values.json === 'string') reporter.writeJson(values.json, ok);
  }
  reporter.summary();
  reporter.text('\nEvery plaintext matched; the liar was named, convicted and slashed.');
});
