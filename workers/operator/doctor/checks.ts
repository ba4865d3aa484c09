import { isKeyloomError } from '../../errors.ts';

/** All that a doctor looks at, in order; docs/metrics.md says what is a problem in each. */
export const CHECKS = [
  'configuration',
  'identity',
  'passphrase',
  'data-directory',
  'disk',
  'open-files',
  'core-dumps',
  'swap',
  'rpc',
  'endpoints',
  'binding',
  'clock',
  'registered',
  'bond',
  'balance',
  'ports',
  'multiaddr',
  'endpoint',
  'peers',
] as const;

export type CheckName = (typeof CHECKS)[number];

/** What a check has found. */
export type Finding =
  | { readonly status: 'ok'; readonly detail: string }
  /** What it needs is not there: another check says so. */
  | { readonly status: 'skipped'; readonly detail: string }
  | { readonly status: 'problem'; readonly detail: string; readonly fix: string };

export type Check = Finding & { readonly name: CheckName };

export const ok = (detail: string): Finding => ({ status: 'ok', detail });
export const skipped = (needs: string): Finding => ({
  status: 'skipped',
  detail: `needs ${needs}`,
});
export const problem = (detail: string, fix: string): Finding => ({
  status: 'problem',
  detail,
  fix,
});

/**
 * Examines something; what is thrown is a problem. Of errors only the code is told, and of the system's
 * too: other messages quote URLs.
 *
 * @param fix what to do about an error
 */
export async function examined(examine: () => Promise<Finding>, fix: string): Promise<Finding> {
  try {
    return await examine();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNEXPECTED';
    return problem(isKeyloomError(error) ? `${code}: ${error.message}` : code, fix);
  }
}
