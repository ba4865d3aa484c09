import {
  compileSolidity,
  nodesOfType,
  standardInput,
  type AstNode,
  type LayoutType,
  type Sources,
  type StandardOutput,
} from '../../../scripts/solidity.ts';

export interface Member {
  label: string;
  slot: number;
  offset: number;
  type: string;
}

export interface StructLayout {
  bytes: number;
  members: Member[];
}

/** What is in storage, by the compiler's own names. */
export interface StorageLayout {
  /** ERC-7201 namespace → struct. */
  namespaces: Record<string, string>;
  /** The structs of the namespaces, and all that are in them. */
  structs: Record<string, StructLayout>;
  /** Enums in them, with their values in order. */
  enums: Record<string, string[]>;
}

/** A contract with a namespace of its own, as its source says. */
interface Declaration {
  contract: string;
  /** It and those that derive from it: an abstract half keeps the storage of the whole contract. */
  names: string[];
  structs: { name: string; namespace: string }[];
  /** Arguments of erc7201(...) in the contract's constants. */
  constants: string[];
}

const annotation = /@custom:storage-location erc7201:(\S+)/;
const harness = 'StorageLayouts.sol';

/**
 * The layouts of all namespaced structs of some sources, from the compiler, and what is wrong with their
 * declarations: a struct, a constant and a contract that do not belong together, or storage outside of
 * the namespaces in a contract that can be upgraded.
 */
export async function readStorageLayout(
  sources: Sources,
): Promise<{ layout: StorageLayout; problems: string[] }> {
  // The first pass finds the structs, the second has a variable of each.
  const trees = await compileSolidity(standardInput(sources, { '*': { '': ['ast'] } }));
  const declarations = declarationsOf(trees);
  const output = await compileSolidity(
    standardInput(
      { ...sources, [harness]: { content: harnessSource(sources, declarations) } },
      { '*': { '*': ['storageLayout'] } },
    ),
  );
  const problems = [
    ...declarations.flatMap(problemsOf),
    ...stateOutsideNamespaces(trees, output, Object.keys(sources)),
  ];
  return { layout: layoutOf(trees, output, declarations), problems };
}

function declarationsOf(trees: StandardOutput): Declaration[] {
  const contracts = contractNodes(trees);
  const derivedFrom = (id: unknown) =>
    contracts.filter(({ node }) => (node['linearizedBaseContracts'] as unknown[]).includes(id));
  return contracts
    .map(({ node }) => ({
      contract: String(node['name']),
      names: derivedFrom(node['id']).map((derived) => String(derived.node['name'])),
      structs: nodesOfType(node['nodes'], 'StructDefinition').flatMap((struct) => {
        const text = (struct['documentation'] as { text?: string } | undefined)?.text ?? '';
        const namespace = annotation.exec(text)?.[1];
        return namespace === undefined ? [] : [{ name: String(struct['name']), namespace }];
      }),
      constants: nodesOfType(node['nodes'], 'FunctionCall')
        .filter((call) => (call['expression'] as AstNode)['name'] === 'erc7201')
        .map((call) => String((call['arguments'] as AstNode[])[0]?.['value'])),
    }))
    .filter(({ structs, constants }) => structs.length > 0 || constants.length > 0);
}

function contractNodes(trees: StandardOutput): { file: string; node: AstNode }[] {
  return Object.entries(trees.sources)
    .filter(([file]) => !file.startsWith('node_modules/'))
    .flatMap(([file, { ast }]) =>
      nodesOfType(ast, 'ContractDefinition').map((node) => ({ file, node })),
    );
}

function problemsOf({ contract, names, structs, constants }: Declaration): string[] {
  const [struct, anotherStruct] = structs;
  if (struct === undefined || anotherStruct !== undefined)
    return [`${contract} has ${structs.length} structs with a @custom:storage-location, not one`];
  if (constants.length !== 1)
    return [`${contract} has ${constants.length} calls of erc7201(...), not one`];
  const name = struct.namespace.replace('keyloom.storage.', '');
  const problems: string[] = [];
  if (struct.namespace !== `keyloom.storage.${name}` || !names.includes(name))
    problems.push(`${contract}: the annotation ${struct.namespace} names another contract`);
  if (constants[0] !== struct.namespace)
    problems.push(`${contract}: erc7201("${constants[0]}") is not the annotation's`);
  if (struct.name !== `${name}Storage`)
    problems.push(`${contract}.${struct.name} should be ${name}Storage`);
  return problems;
}

function stateOutsideNamespaces(
  trees: StandardOutput,
  output: StandardOutput,
  files: readonly string[],
): string[] {
  const bases = new Map(
    Object.values(trees.sources)
      .flatMap(({ ast }) => nodesOfType(ast, 'ContractDefinition'))
      .map((node) => [node['id'], node['name']]),
  );
  return contractNodes(trees)
    .filter(({ file }) => files.includes(file))
    .filter(({ node }) =>
      (node['linearizedBaseContracts'] as number[]).some(
        (id) => bases.get(id) === 'UUPSUpgradeable',
      ),
    )
    .flatMap(({ file, node }) => {
      const name = String(node['name']);
      const storage = output.contracts?.[file]?.[name]?.storageLayout?.storage ?? [];
      return storage.map(({ label }) => `${name}.${label} is outside of the namespaces`);
    });
}

function variableOf(contract: string, struct: string): string {
  return `${contract}_${struct}`;
}

function harnessSource(sources: Sources, declarations: readonly Declaration[]): string {
  const imports = Object.keys(sources).map((path) => `import "./${path}";`);
  const variables = declarations.flatMap(({ contract, structs }) =>
    structs.map(({ name }) => `  ${contract}.${name} private ${variableOf(contract, name)};`),
  );
  return [
    'pragma solidity 0.8.37;',
    ...imports,
    'contract StorageLayouts {',
    ...variables,
    '}',
    '',
  ].join('\n');
}

function layoutOf(
  trees: StandardOutput,
  output: StandardOutput,
  declarations: readonly Declaration[],
): StorageLayout {
  const read = output.contracts?.[harness]?.['StorageLayouts']?.storageLayout;
  const types = read?.types ?? {};
  const typeOf = (id: string): LayoutType => {
    const type = types[id];
    if (type === undefined) throw new Error(`The compiler does not describe ${id}.`);
    return type;
  };
  const valuesOf = new Map(
    Object.values(trees.sources)
      .flatMap(({ ast }) => nodesOfType(ast, 'EnumDefinition'))
      .map((node) => [
        `enum ${String(node['canonicalName'])}`,
        (node['members'] as AstNode[]).map((member) => String(member['name'])),
      ]),
  );

  const layout: StorageLayout = { namespaces: {}, structs: {}, enums: {} };
  const visit = (id: string): void => {
    const { label, numberOfBytes, base, key, value, members } = typeOf(id);
    const values = valuesOf.get(label);
    if (values !== undefined) layout.enums[label] = values;
    for (const inner of [base, key, value]) if (inner !== undefined) visit(inner);
    if (members === undefined) return;
    const struct = {
      bytes: Number(numberOfBytes),
      members: members.map((member) => ({
        label: member.label,
        slot: Number(member.slot),
        offset: member.offset,
        type: typeOf(member.type).label,
      })),
    };
    const known = layout.structs[label];
    if (known !== undefined) {
      if (JSON.stringify(known) !== JSON.stringify(struct))
        throw new Error(`Two different structs are called ${label}.`);
      return;
    }
    layout.structs[label] = struct;
    for (const member of members) visit(member.type);
  };

  for (const { contract, structs } of declarations)
    for (const { name, namespace } of structs) {
      const variable = read?.storage.find(({ label }) => label === variableOf(contract, name));
      if (variable === undefined) throw new Error(`The compiler does not lay out ${name}.`);
      visit(variable.type);
      layout.namespaces[namespace] = typeOf(variable.type).label;
    }
  return sorted(layout);
}

/** One order of names, so that the recorded file changes only where the layout does. */
function sorted(layout: StorageLayout): StorageLayout {
  const byName = <T>(table: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    namespaces: byName(layout.namespaces),
    structs: byName(layout.structs),
    enums: byName(layout.enums),
  };
}
