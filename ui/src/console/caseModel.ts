// One complaint as it is looked at: asked for, kept up to date, and whether
// the person looking has lost the claim they had.
import { ref, shallowRef } from 'vue'
import type { Told } from '@/shared/errors'
import * as calls from './calls'
import { calmly, onLive } from './live'
import { toldOf } from './problems'
import { me } from './session'
import type { ComplaintView, State } from './types'

/** A complaint that has ended holds no claim, and nobody lost one. */
const ENDED: readonly State[] = ['closed', 'withdrawn', 'archived']

/** Who has it now, when it is not me any more. */
export interface LostClaim {
  to: string | null
}

export function useCase(id: string) {
  const view = shallowRef<ComplaintView | null>(null)
  const error = ref<Told | null>(null)
  const lost = ref<LostClaim | null>(null)
  let stepping = 0

  const isMine = (one: ComplaintView | null): boolean =>
    one?.claim != null && one.claim.expert === me.value?.id

  async function load(): Promise<void> {
    try {
      const fresh = await calls.complaint(id)
      // My own step under way may have given it away: that is no loss.
      if (stepping === 0 && isMine(view.value) && !isMine(fresh) && !ENDED.includes(fresh.state)) {
        lost.value = { to: fresh.claim?.expert_name ?? null }
      }
      if (isMine(fresh)) lost.value = null
      view.value = fresh
      error.value = null
    } catch (thrown) {
      error.value = toldOf(thrown)
    }
  }

  /** Takes a step; its answer is the complaint as it stands then. */
  async function step<Name extends keyof calls.Steps>(
    name: Name,
    body: calls.Steps[Name],
    key: string,
  ): Promise<void> {
    stepping += 1
    try {
      view.value = await calls.step(id, name, body, key)
      if (isMine(view.value)) lost.value = null
    } finally {
      stepping -= 1
    }
  }

  async function renew(): Promise<void> {
    const { until } = await calls.renew(id)
    const now = view.value
    if (now?.claim) view.value = { ...now, claim: { ...now.claim, until } }
  }

  onLive(
    'complaint',
    ((reload) => (changed: string | null) => {
      if (changed === null || changed === id) reload()
    })(calmly(load)),
  )

  return { view, error, lost, load, step, renew }
}

export type CaseModel = ReturnType<typeof useCase>
