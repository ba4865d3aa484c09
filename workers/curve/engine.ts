import { type CurveKernel, defaultCurveKernel } from '../kernels/curve.ts';
import { pointBytes } from './points.ts';
import { SCALAR_BYTES } from './scalars.ts';
import type { Answer, Task } from './tasks.ts';

/** Does what a thread is asked. Whatever it put into the kernel's memory is wiped. */
export function perform(task: Task, kernel: CurveKernel = defaultCurveKernel()): Answer {
  const { group, points } = task;
  const size = pointBytes[group];
  const count = points.length / size;
  // Lanes come in pairs: where a lane is left over, it repeats the last point.
  const even = count + (count & 1);
  const { module } = kernel;
  return kernel.run(() => {
    const source = kernel.copyIn(points, even * size + size);
    if (even > count && task.kind !== 'sum') {
      kernel.write(source + count * size, points.subarray((count - 1) * size));
    }
    switch (task.kind) {
      case 'scale': {
        const first = kernel.copyIn(task.scalars);
        const scalars = module.allocate(even * SCALAR_BYTES);
        module.powers(scalars, first, first + SCALAR_BYTES, task.skip, even);
        const result = module.allocate(even * size);
        (group === 'g1' ? module.scaleG1 : module.scaleG2)(result, source, scalars, even);
        return kernel.copyOut(result, count * size);
      }
      case 'sum': {
        const coefficients = kernel.copyIn(task.coefficients);
        const result = module.allocate(size);
        (group === 'g1' ? module.sumG1 : module.sumG2)(result, source, coefficients, count);
        return kernel.copyOut(result, size);
      }
      case 'validate':
        return (group === 'g1' ? module.firstInvalidG1 : module.firstInvalidG2)(source, even);
    }
  });
}
