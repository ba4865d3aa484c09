import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The layers of workers/, left to right. A folder imports only from folders to its left. */
const layers = [
  ['kernels'],
  ['ring', 'curve'],
  ['sharing'],
  ['fhe', 'ceremony'],
  ['protocols', 'proofs', 'computations'],
  ['net', 'chain', 'store'],
  ['operator'],
];

const everyLayer = layers.flat();
const importRules = layers.flatMap((siblings, level) =>
  siblings.map((folder) => {
    const forbidden = [
      ...siblings.filter((other) => other !== folder),
      ...layers.slice(level + 1).flat(),
    ];
    const patterns = [
      ...(forbidden.length > 0
        ? [
            {
              regex: `^\\.\\./(\\.\\./)*(${forbidden.join('|')})/`,
              message: `workers/${folder} may import only from its left: ${everyLayer.join(' → ')}.`,
            },
          ]
        : []),
      {
        regex: '(^|/)(test|tasks|devnet|deploy|scripts|sdk)/',
        message: 'workers/ never imports from outside workers/.',
      },
      ...(folder === 'fhe'
        ? []
        : [{ regex: '^node-seal', message: 'workers/fhe is the only importer of node-seal.' }]),
    ];
    return {
      files: [`workers/${folder}/**/*.ts`],
      rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
    };
  }),
);

export default defineConfig(
  {
    ignores: [
      'node_modules',
      'artifacts',
      'cache',
      'workers/kernels/assembly',
      'workers/kernels/build',
      'deploy/deployments',
      '.devnet',
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['workers/**/*.ts', 'sdk/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Error']",
          message: 'Throw the coded error of the module (workers/errors.ts).',
        },
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'Randomness comes from node:crypto, or from a seed in tests.',
        },
      ],
    },
  },
  ...importRules,
  {
    // The sdk runs in browsers: nothing of Node's, and of workers/ only what has nothing of Node's.
    files: ['sdk/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', 'Buffer', 'process', 'global', '__dirname'],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^node:', message: 'sdk/ runs in browsers, too.' },
            {
              regex:
                '^\\.\\./(?!workers/(errors|kernels/loader|ring/parameters|fhe/(client|plaintext)|proofs/.*|chain/(abi|ids|permit|typed-data))\\.ts$)',
              // Nothing is left of a type in a bundle.
              allowTypeImports: true,
              message: 'sdk/ imports of the project only what test/sdk/browser.test.ts can bundle.',
            },
          ],
        },
      ],
    },
  },
);
