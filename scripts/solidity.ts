/**
 * The Solidity compiler of the package `solc` without Hardhat, for what no artifact of Hardhat says: the
 * layout of storage, and the syntax trees under the files' own paths.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

export type Sources = Record<string, { content: string }>;

export interface StandardInput {
  language: 'Solidity';
  sources: Sources;
  settings: {
    remappings: string[];
    outputSelection: Record<string, Record<string, string[]>>;
  };
}

/** A node of a syntax tree: every kind has its own fields. */
export interface AstNode {
  nodeType: string;
  [field: string]: unknown;
}

export interface LayoutEntry {
  label: string;
  offset: number;
  slot: string;
  type: string;
}

export interface LayoutType {
  label: string;
  numberOfBytes: string;
  base?: string;
  key?: string;
  value?: string;
  members?: LayoutEntry[];
}

export interface ContractOutput {
  storageLayout?: { storage: LayoutEntry[]; types: Record<string, LayoutType> | null };
}

export interface StandardOutput {
  errors?: { severity: string; formattedMessage: string }[];
  sources: Record<string, { ast: AstNode }>;
  contracts?: Record<string, Record<string, ContractOutput>>;
}

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The compiler's version, such as "0.8.37". */
export function compilerVersion(): string {
  const { version } = createRequire(import.meta.url)('solc/package.json') as { version: string };
  return version;
}

/** All files of contracts/ by their paths from the root. */
export function contractSources(): Sources {
  const files = readdirSync(join(root, 'contracts'), { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    files
      .filter((file) => file.endsWith('.sol'))
      .sort()
      .map((file) => {
        const path = join('contracts', file);
        return [path.split(sep).join('/'), { content: readFileSync(join(root, path), 'utf8') }];
      }),
  );
}

export function standardInput(
  sources: Sources,
  outputSelection: StandardInput['settings']['outputSelection'],
): StandardInput {
  const remappings = ['@openzeppelin/=node_modules/@openzeppelin/'];
  return { language: 'Solidity', sources, settings: { remappings, outputSelection } };
}

let worker: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Compiles, one input after the other. Throws what is an error. */
export function compileSolidity(input: StandardInput): Promise<StandardOutput> {
  const output = last.then(() => compile(JSON.stringify(input)));
  last = output.catch(() => undefined);
  return output;
}

async function compile(input: string): Promise<StandardOutput> {
  worker ??= new Worker(new URL('solc-worker.ts', import.meta.url));
  // It keeps the process alive only while it is waited for.
  worker.ref();
  worker.postMessage(input);
  const [text] = (await once(worker, 'message')) as [string];
  worker.unref();
  const output = JSON.parse(text) as StandardOutput;
  const errors = output.errors?.filter((error) => error.severity === 'error') ?? [];
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'));
  return output;
}

/** Every node of a syntax tree with the given type. */
export function nodesOfType(tree: unknown, nodeType: string): AstNode[] {
  if (Array.isArray(tree)) return tree.flatMap((item) => nodesOfType(item, nodeType));
  if (typeof tree !== 'object' || tree === null) return [];
  const below = Object.values(tree).flatMap((item) => nodesOfType(item, nodeType));
  return (tree as AstNode).nodeType === nodeType ? [tree as AstNode, ...below] : below;
}
