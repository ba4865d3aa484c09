/** What slither reports, and what docs/analysis.md says about it. */

/** Of slither's JSON report: what is read here. */
export interface SlitherReport {
  success: boolean;
  error: string | null;
  results: { detectors?: SlitherFinding[] };
}

export interface SlitherFinding {
  check: string;
  impact: string;
  description: string;
  elements: SlitherElement[];
}

export interface SlitherElement {
  type: string;
  name: string;
  type_specific_fields?: { parent?: SlitherElement };
}

/**
 * All findings of one detector in one function or variable. Neither lines nor other functions count, so
 * it stays the same when code moves; one more place in the function makes another finding of it.
 */
export interface Finding {
  check: string;
  /** Such as "KeyManager.requestKey". */
  where: string;
  places: number;
  descriptions: string[];
}

export interface Explanation {
  check: string;
  where: string;
  places: number;
  reason: string;
}

/** Findings by detector and function, in the order of their names. */
export function groupFindings(report: SlitherReport): Finding[] {
  const groups = new Map<string, Finding>();
  for (const { check, description, elements } of report.results.detectors ?? []) {
    const [subject] = elements;
    if (subject === undefined) throw new Error(`A finding without a subject: ${description}`);
    const where = qualifiedName(subject);
    const id = `${check} ${where}`;
    const group = groups.get(id) ?? { check, where, places: 0, descriptions: [] };
    group.places += Math.max(1, elements.filter(({ type }) => type === 'node').length);
    group.descriptions.push(description.trim());
    groups.set(id, group);
  }
  return [...groups.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** "Contract.function" of anything: nodes and parameters belong to a function, functions to a contract. */
function qualifiedName(element: SlitherElement): string {
  const parent = element.type_specific_fields?.parent;
  const isNamed = ['function', 'contract', 'struct', 'enum', 'event'].includes(element.type);
  if (parent === undefined || parent.type === 'contract' || isNamed)
    return parent?.type === 'contract' ? `${parent.name}.${element.name}` : element.name;
  return element.type === 'node'
    ? qualifiedName(parent)
    : `${qualifiedName(parent)}.${element.name}`;
}

/** The rows of the table in docs/analysis.md: detector, where, places, reason. */
export function readExplanations(markdown: string): Explanation[] {
  return [...markdown.matchAll(/^\| `([^`]+)` *\| `([^`]+)` *\| *(\d+) *\| (.*?) *\|$/gm)].map(
    ([, check = '', where = '', places, reason = '']) => ({
      check,
      where,
      places: Number(places),
      reason,
    }),
  );
}

/** What keeps the analysis from passing; no line if every finding is explained and nothing else is. */
export function compareFindings(
  findings: readonly Finding[],
  explanations: readonly Explanation[],
): string[] {
  const problems: string[] = [];
  const explained = new Map<string, Explanation>();
  for (const explanation of explanations) {
    const key = keyOf(explanation);
    if (explained.has(key)) problems.push(`Explained twice: ${key}.`);
    if (explanation.reason === '') problems.push(`Without a reason: ${key}.`);
    explained.set(key, explanation);
  }
  for (const finding of findings) {
    const key = keyOf(finding);
    const places = explained.get(key)?.places;
    explained.delete(key);
    if (places === finding.places) continue;
    const now = places === undefined ? 'New' : `In ${finding.places} places instead of ${places}`;
    problems.push([`${now}: ${key}`, ...finding.descriptions, rowOf(finding)].join('\n'));
  }
  for (const key of explained.keys()) problems.push(`Explained but not found any more: ${key}.`);
  return problems;
}

function keyOf({ check, where }: { check: string; where: string }): string {
  return `${check} in ${where}`;
}

/** A row for docs/analysis.md that lacks its reason. */
function rowOf({ check, where, places }: Finding): string {
  return `| \`${check}\` | \`${where}\` | ${places} |  |`;
}
