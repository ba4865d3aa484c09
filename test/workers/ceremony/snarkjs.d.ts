/** The part of snarkjs that the tests use; it has no types of its own. */
declare module 'snarkjs' {
  /** A file in memory; a result is written to `data`. */
  interface MemoryFile {
    readonly type: 'mem';
    data?: Uint8Array;
  }
  type File = MemoryFile | string;
  interface Logger {
    debug(message: string): void;
    info(message: string): void;
    warn(message: string): void;
    error(message: string): void;
  }
  export const powersOfTau: {
    newAccumulator(curve: unknown, power: number, file: File): Promise<Uint8Array>;
    contribute(previous: File, next: File, name: string, entropy: string): Promise<Uint8Array>;
    beacon(
      previous: File,
      next: File,
      name: string,
      beacon: string,
      iterationsExp: number,
    ): Promise<Uint8Array>;
    verify(file: File, logger?: Logger): Promise<boolean>;
    preparePhase2(previous: File, next: File): Promise<void>;
  };
  export const zKey: {
    newZKey(circuit: File, powers: File, key: File): Promise<unknown>;
    contribute(previous: File, next: File, name: string, entropy: string): Promise<unknown>;
    verifyFromR1cs(circuit: File, powers: File, key: File): Promise<boolean>;
    exportVerificationKey(key: File): Promise<object>;
  };
  export const groth16: {
    fullProve(
      inputs: Record<string, number | bigint>,
      program: File,
      key: File,
    ): Promise<{ proof: object; publicSignals: string[] }>;
    verify(key: object, publicSignals: readonly string[], proof: object): Promise<boolean>;
  };
  export const curves: {
    getCurveFromName(name: string): Promise<{ terminate(): Promise<void> }>;
  };
}
