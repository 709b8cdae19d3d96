// Deadlines somebody was told of: what of them addresses the person signed in,
// kept up to date for all screens.
import { onScopeDispose, ref, shallowRef } from 'vue'
import type { Told } from '@/shared/errors'
import * as calls from './calls'
import { calmly, onLive } from './live'
import { toldOf } from './problems'
import type { EscalationRow, Grade, Level, Role } from './types'

export const GRADES = ['one', 'two', 'three'] as const satisfies readonly Grade[]
/** From the lowest. */
export const LEVELS = ['remind', 'copy', 'report'] as const satisfies readonly Level[]

/** Administrators are told of no deadline, and may not ask. */
export const isTold = (role: Role | undefined): boolean => role !== undefined && role !== 'administrator'

/** The same deadline at the same level, however often it is listed. */
export function keyOf({ escalation, order }: Pick<EscalationRow, 'escalation' | 'order'>): string {
  const { clock, task, level, due } = escalation
  return [order.id, clock, task ?? '', level, due].join('/')
}

const rows = shallowRef<EscalationRow[]>([])
const problem = ref<Told | null>(null)
/** Asks again; nothing while nobody is signed in. */
let askAgain: () => void = () => undefined

/** For the screens: what addresses me. */
export function useEscalations() {
  return { escalations: rows, escalationsError: problem, again: () => askAgain() }
}

/** For the frame, which is there as long as somebody is signed in: asks, and again at all news. */
export function followEscalations(arrived: (rows: EscalationRow[]) => void): void {
  let over = false
  async function load(): Promise<void> {
    try {
      const now = await calls.escalations()
      if (over) return
      rows.value = now
      problem.value = null
      arrived(now)
    } catch (thrown) {
      if (!over) problem.value = toldOf(thrown)
    }
  }
  const again = calmly(load, 1_000)
  again()
  askAgain = again
  onLive('work_orders', again)
  onLive('tasks', again)
  onScopeDispose(() => {
    over = true
    askAgain = () => undefined
    // The next person is not shown them.
    rows.value = []
    problem.value = null
  })
}
