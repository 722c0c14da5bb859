import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's space for new objects small while modules load. V8 doubles it as long as objects survive, and what a
 * module makes survives: the space would come to 32 MiB at the start, and stay there.
 */
export function startWithSmallHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Lets the space for new objects grow with the load, as V8 does by default. */
export function letHeapGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
