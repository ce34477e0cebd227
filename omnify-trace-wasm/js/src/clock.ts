/** Unix milliseconds with the fine steps of the monotonic clock. */
let base = 0;

export function now(): number {
  return base + performance.now();
}

const decoder = new TextDecoder();

/** The core's bytes as text. */
export function decode(bytes: Uint8Array | undefined): string {
  return decoder.decode(bytes);
}

/** Sets the clock by the wall: at start, and after the machine slept or its clock was set. */
export function adjust(): void {
  const wall = Date.now();
  if (Math.abs(wall - now()) > 100) base = wall - performance.now();
}
