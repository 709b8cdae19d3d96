// What the hub says is new, while somebody is signed in: one connection for
// all screens, kept up, with its state to show. It carries names of what
// changed, never the contents: screens ask again.
import { onScopeDispose, readonly, ref } from 'vue'
import { get, openFeed } from './api'

export type LiveKind = 'work_orders' | 'complaint' | 'tasks' | 'board' | 'quarantine' | 'alarms'
export type LiveState = 'off' | 'connecting' | 'live' | 'lost'

const KINDS: readonly LiveKind[] = ['work_orders', 'complaint', 'tasks', 'board', 'quarantine', 'alarms']
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 15_000

type Listener = (id: string | null) => void

const state = ref<LiveState>('off')
const listeners = new Map<LiveKind, Set<Listener>>(KINDS.map((kind) => [kind, new Set()]))
let close: (() => void) | null = null
let retry: ReturnType<typeof setTimeout> | undefined
let attempts = 0

export const liveState = readonly(state)

export function startLive(): void {
  if (state.value !== 'off') return
  state.value = 'connecting'
  connect()
}

export function stopLive(): void {
  clearTimeout(retry)
  close?.()
  close = null
  attempts = 0
  state.value = 'off'
}

function connect(): void {
  close = openFeed('/api/live', ['ready', ...KINDS], {
    event: (kind, data) => {
      if (kind !== 'ready') return tellAll(kind, complaintOf(data))
      attempts = 0
      state.value = 'live'
      // Whatever happened before the feed stood was not told: everybody asks.
      for (const each of KINDS) tellAll(each, null)
    },
    broken: waitAndRetry,
  })
}

function waitAndRetry(): void {
  state.value = 'lost'
  const cap = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts)
  attempts += 1
  // Jitter, so that a restarted hub is not met by everybody at once.
  retry = setTimeout(() => void retryNow(), FIRST_RETRY_MS / 2 + Math.random() * cap)
}

/** The feed breaks without saying why, so a plain question finds out first. */
async function retryNow(): Promise<void> {
  try {
    await get('/api/me')
  } catch {
    // A sign-in that has ended has stopped the feed by now.
    if (state.value !== 'off') waitAndRetry()
    return
  }
  if (state.value !== 'off') connect()
}

function complaintOf(data: string): string | null {
  try {
    const parsed: unknown = JSON.parse(data)
    if (typeof parsed === 'object' && parsed !== null && 'id' in parsed) return String(parsed.id)
  } catch {
    // Not every kind of event names something.
  }
  return null
}

function tellAll(kind: LiveKind, id: string | null): void {
  for (const listener of listeners.get(kind) ?? []) listener(id)
}

/** Calls back for one kind of news until the scope ends. */
export function onLive(kind: LiveKind, listener: Listener): void {
  const all = listeners.get(kind)
  all?.add(listener)
  onScopeDispose(() => all?.delete(listener))
}

/**
 * Runs at once, and while it runs or within the pause remembers only that it
 * has to run once more: a burst of news costs few requests, and the first of
 * it no delay.
 */
export function calmly(run: () => Promise<void>, pauseMs = 300): () => void {
  let busy = false
  let again = false
  const go = async (): Promise<void> => {
    if (busy) {
      again = true
      return
    }
    busy = true
    await run()
    setTimeout(() => {
      busy = false
      if (again) {
        again = false
        void go()
      }
    }, pauseMs)
  }
  return () => void go()
}
