// Who is signed in, and whether that still holds. A sign-in that ran out
// leaves the screen as it is underneath, so that nothing typed is lost.
import { computed, readonly, ref } from 'vue'
import { HubError, onSignedOut } from './api'
import * as calls from './calls'
import { forgetAll } from './kept'
import { startLive, stopLive } from './live'
import type { Me } from './types'

/** `unknown` until the hub has been asked; `expired` keeps who it was. */
export type SessionState = 'unknown' | 'out' | 'in' | 'expired'

const state = ref<SessionState>('unknown')
const person = ref<Me | null>(null)

export const sessionState = readonly(state)
export const me = computed<Me | null>(() => person.value)

onSignedOut(() => {
  if (state.value !== 'in') return
  state.value = 'expired'
  stopLive()
})

/** Asks the hub who this browser is signed in as. Throws when it cannot be asked. */
export async function resume(): Promise<void> {
  try {
    take(await calls.whoAmI())
  } catch (thrown) {
    if (!(thrown instanceof HubError) || thrown.status !== 401) throw thrown
    state.value = 'out'
  }
}

export async function signIn(login: string, password: string): Promise<void> {
  const before = person.value?.id
  const now = await calls.signIn(login, password)
  if (before !== undefined && before !== now.id) forgetAll()
  take(now)
}

/** Signs out here in any case; throws when the hub could not be told. */
export async function signOut(): Promise<void> {
  stopLive()
  forgetAll()
  try {
    await calls.signOut()
  } finally {
    person.value = null
    state.value = 'out'
  }
}

function take(now: Me): void {
  person.value = now
  state.value = 'in'
  startLive()
}
