// Who sits at this desk: enrolment, who is signed in, and the lock. The host
// decides; this keeps what it said for the screens.
import { reactive, readonly } from 'vue'
import type { EnrolmentView, SessionView } from '@/shared/types'
import { host, onTurnedAway } from './host'

type Phase = 'starting' | 'failed' | 'enrol' | 'sign_in' | 'open'

const KEEP_MS = 2_000

interface Desk {
  phase: Phase
  enrolment: EnrolmentView | null
  session: SessionView | null
  locked: boolean
}

const state = reactive<Desk>({ phase: 'starting', enrolment: null, session: null, locked: false })

export const desk = readonly(state)

function opened(session: SessionView): void {
  state.session = session
  state.locked = false
  state.phase = 'open'
}

/** After the data could not be opened: asks the host to try once more. */
export async function startAgain(): Promise<void> {
  await host.openAgain()
  await start()
}

/** Asks the host where things stand. Throws what the host throws. */
export async function start(): Promise<void> {
  try {
    state.enrolment = await host.enrolment()
    if (state.enrolment === null) {
      state.phase = 'enrol'
      return
    }
    const session = await host.session()
    if (session === null) state.phase = 'sign_in'
    else opened(session)
  } catch (error) {
    // A reloaded window of a locked desk is let in by signing in again.
    if (state.enrolment !== null) state.phase = 'sign_in'
    else {
      state.phase = 'failed'
      throw error
    }
  }
}

export async function enrol(hubUrl: string, code: string): Promise<void> {
  state.enrolment = await host.enrol(hubUrl, code)
  state.phase = 'sign_in'
}

export async function signIn(login: string, password: string): Promise<void> {
  opened(await host.signIn(login, password))
}

const keepers = new Set<() => Promise<void>>()

/** What has to be safe before the work is locked or left; gives the way to take it back. */
export function beforeLeaving(keep: () => Promise<void>): () => void {
  keepers.add(keep)
  return () => keepers.delete(keep)
}

/** Waits for it, but not for ever: a full disk must not keep the screen open. */
async function kept(): Promise<void> {
  const patience = new Promise<void>((over) => setTimeout(over, KEEP_MS))
  await Promise.race([Promise.allSettled([...keepers].map((keep) => keep())), patience])
}

/** Hides the work and asks for the password; the screens below stay as they are. */
export async function lock(): Promise<void> {
  if (state.phase !== 'open' || state.locked) return
  state.locked = true
  await kept()
  // Whoever typed the password meanwhile goes on.
  if (state.locked) await host.lock()
}

/** Lets somebody else sign in, once what was typed is in the journal. */
export async function signOut(): Promise<void> {
  if (!state.locked) await kept()
  await host.signOut()
  state.session = null
  state.locked = false
  state.phase = 'sign_in'
}

onTurnedAway((code) => {
  if (state.phase !== 'open') return
  if (code === 'locked') state.locked = true
  else {
    state.session = null
    state.phase = 'sign_in'
  }
})
