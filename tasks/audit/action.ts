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
      failure === undefined
        ? `the recorded result follows from signed shares, ${report.openings} openings`
        : `the recorded result is not confirmed, ${report.openings} openings`,
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
    ...counted(missing, (count) => `${who}: no signed share of ${count} was found`),
    ...counted(faulty, (count) => `${who} is faulty: it signed wrong shares of ${count}`),
    ...faulty.map(({ openingId, commitment: { root } }) => `  opening ${openingId}: root ${root}`),
    ...counted(
      equivocations,
      (count) => `${who} is faulty: it signed different shares of ${count}`,
    ),
    ...equivocations.map(
      ({ openingId, commitments }) =>
        `  opening ${openingId}: roots ${commitments.map(({ root }) => root).join(' and ')}`,
    ),
    ...counted(refused, (count) => `${who} served what cannot be used, for ${count}`),
    ...refused.map(
      ({ openingId, index: of, reason }) =>
        `  opening ${openingId}, ${of === undefined ? 'list' : `share of operator ${of}`}: ${reason}`,
    ),
  ];
}

const counted = (entries: readonly unknown[], text: (count: string) => string): string[] =>
  entries.length === 0 ? [] : [text(`${entries.length} opening${entries.length === 1 ? '' : 's'}`)];
