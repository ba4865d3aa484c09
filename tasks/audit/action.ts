import { idOf } from '../arguments.ts';
import { listed } from '../output.ts';
import { action } from '../run.ts';
import { audit, type AuditedItem, type AuditReport } from '../support/audit/audit.ts';
import type { OperatorFindings } from '../support/audit/findings.ts';
import type { AuditArguments } from './index.ts';

/** `kms audit ID` */
export default action<AuditArguments>(async (args, { gateway, progress }) => {
  const report = await audit(gateway, idOf(args.id, 'the id'), {
    blobs: args.blobs,
    onProgress: (text) => progress.say(text),
  });
  const { failure, items, operators, ...rest } = report;
  const trusted = { chainId: gateway.chainId, contracts: gateway.addresses };
  return {
    json: {
      ...rest,
      follows: failure === undefined,
      items: items.map(({ failure: why, ...item }) => ({ ...item, error: why?.code })),
      operators,
      trusted,
    },
    lines: [
      `${report.asked.kind} ${report.id}, epoch ${report.epochId}`,
      `on chain ${gateway.chainId}, gateway ${gateway.addresses.decryptionGateway}`,
      ...items.map(itemLine),
      signersLine(report),
      ...operators.flatMap(operatorLines),
      `openings replayed from signed shares: ${report.openings}`,
      `the recorded result ${failure === undefined ? 'follows' : 'is not confirmed'}`,
    ],
    failure,
  };
});

function itemLine({ what, recorded, replayed, failure }: AuditedItem): string {
  if (replayed === undefined)
    return `${what}: ${recorded} recorded, not replayed: ${failure?.code}`;
  if (replayed === recorded) return `${what}: ${recorded} recorded, and it follows`;
  return `${what}: ${recorded} recorded, ${replayed} follows`;
}

function signersLine({ signers, areSignaturesChecked }: AuditReport): string {
  const how = areSignaturesChecked
    ? 'their signatures of the result are right'
    : 'their signatures of the result were not found in the transaction';
  return `recorded in the name of operators ${listed(signers)}; ${how}`;
}

/** Nothing, if there is nothing to say of an operator. */
function operatorLines(findings: OperatorFindings): string[] {
  const { index, signer, silence, missing, faulty, equivocations, refused } = findings;
  const who = `operator ${index} (${signer})`;
  return [
    ...(silence === undefined ? [] : [`${who} does not answer: ${silence}`]),
    ...section(`${who}: no signed share was found in openings`, missing),
    ...section(
      `${who} is faulty: it signed wrong shares in openings`,
      faulty.map(({ openingId, commitment: { root } }) => `${openingId}: root ${root}`),
    ),
    ...section(
      `${who} is faulty: it signed different shares in openings`,
      equivocations.map(
        ({ openingId, commitments }) =>
          `${openingId}: roots ${commitments.map(({ root }) => root).join(' and ')}`,
      ),
    ),
    ...section(
      `${who} served what cannot be used in openings`,
      refused.map(
        ({ openingId, index: of, reason }) =>
          `${openingId}, ${of === undefined ? 'list' : `share of operator ${of}`}: ${reason}`,
      ),
    ),
  ];
}

/** How many entries are shown; --json has all. */
const SHOWN = 4;

function section(heading: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [];
  return [
    `${heading}: ${entries.length}`,
    ...entries.slice(0, SHOWN).map((entry) => `  ${entry}`),
    ...(entries.length > SHOWN ? [`  and ${entries.length - SHOWN} more`] : []),
  ];
}
