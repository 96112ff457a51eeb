import { closeSync, fstatSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toError } from '../../errors.js';
import type { ProfileKind, ProfileOrder, ProfileOutcome } from '../protocol/profile_order.js';
import { type InspectorSession, withInspector } from './inspector_session.js';
import { nameSources, type RecordedProfile } from './name_sources.js';

/** Microseconds between two samples of the CPU: less than 1 % of the time goes into them. */
const CPU_INTERVAL = 1000;
/** Bytes, on average, between two allocations that are sampled. */
const ALLOCATION_INTERVAL = 32 * 1024;

/** Takes a profile of this process; never rejects. Without one there is no file either. */
export async function carryOut({ kind, seconds, file }: ProfileOrder): Promise<ProfileOutcome> {
  try {
    // Before anything is recorded: a directory that is missing or full must not cost minutes. It may hold what the app knows.
    const fd = openSync(file, 'wx', 0o600);
    try {
      const startedAt = await withInspector((session) => TAKE[kind](session, fd, seconds));
      return { file, bytes: fstatSync(fd).size, startedAt };
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return { file, bytes: 0, error: toError(error).message };
  }
}

/** @returns when it began, in milliseconds since the epoch */
type Take = (session: InspectorSession, fd: number, seconds: number) => Promise<number>;

const TAKE: Record<ProfileKind, Take> = { cpu: takeCpu, heap: takeHeap, allocations: takeAllocations };

async function takeCpu(session: InspectorSession, fd: number, seconds: number): Promise<number> {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL });
  const startedAt = Date.now();
  await session.post('Profiler.start');
  await sleep(seconds * 1000);
  const { profile } = await session.post<{ profile: RecordedProfile }>('Profiler.stop');
  nameSources(profile);
  writeFileSync(fd, JSON.stringify(profile));
  return startedAt;
}

async function takeAllocations(session: InspectorSession, fd: number, seconds: number): Promise<number> {
  const startedAt = Date.now();
  await session.post('HeapProfiler.startSampling', { samplingInterval: ALLOCATION_INTERVAL });
  await sleep(seconds * 1000);
  const { profile } = await session.post<{ profile: object }>('HeapProfiler.stopSampling');
  writeFileSync(fd, JSON.stringify(profile));
  return startedAt;
}

/** The process stands still meanwhile. Pieces are written as they come: the whole may be larger than a string can be. */
async function takeHeap(session: InspectorSession, fd: number): Promise<number> {
  const startedAt = Date.now();
  let failure: unknown;
  session.on<{ chunk: string }>('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => {
    if (failure) return;
    try {
      writeFileSync(fd, chunk);
    } catch (error) {
      failure = error;
    }
  });
  await session.post('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  if (failure) throw failure;
  return startedAt;
}
