// Records the hub has set aside: which are mine, kept up to date for the frame,
// and the pages of them the screen shows.
import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import type { Told } from '@/shared/errors'
import * as calls from './calls'
import { calmly, onLive } from './live'
import { toldOf } from './problems'
import type { QuarantinePage, QuarantineRow, Role } from './types'

/** Who decides about records, and is told of those that are theirs. */
export const mends = (role: Role | undefined): boolean => role === 'expert' || role === 'administrator'

export type Reason = keyof typeof REASONS
/** The reasons that have a sentence, and a sentence on what to do about each. */
const REASONS = {
  unreadable: true,
  hash_mismatch: true,
  forked: true,
  out_of_scope: true,
  unknown_complaint: true,
  ahead: true,
  not_allowed: true,
} as const

/** Why it was set aside: a name, or a name with what the rules said. */
export function reasonOf({ reason, waits }: Pick<QuarantineRow, 'reason' | 'waits'>): Reason {
  const given: unknown = reason
  const name = typeof given === 'string' ? given : Object.keys(given ?? {})[0]
  // The step before it has not arrived yet.
  if (waits && name === 'not_allowed') return 'ahead'
  return name !== undefined && name in REASONS ? (name as Reason) : 'unreadable'
}

/** Those that are with this person by name. */
export const heldBy = (rows: readonly QuarantineRow[], id: string): QuarantineRow[] =>
  rows.filter((row) => row.holder?.id === id)

const mine = ref(0)

/** For the frame: how many records are with me, a hundred at most. */
export const useSetAside = () => ({ setAside: mine })

/** For the frame, which is there as long as somebody is signed in: asks, and again at all news. */
export function followSetAside(id: string, arrived: (rows: QuarantineRow[]) => void): void {
  let over = false
  async function load(): Promise<void> {
    try {
      const now = heldBy((await calls.quarantine({ mine: true })).records, id)
      if (over) return
      mine.value = now.length
      arrived(now)
    } catch {
      // The screen says what is wrong; the next news asks again.
    }
  }
  const again = calmly(load, 1_000)
  again()
  onLive('quarantine', again)
  onScopeDispose(() => {
    over = true
    // The next person is not shown them.
    mine.value = 0
  })
}

/** Whose records the screen shows. */
export const VIEWS = ['mine', 'all'] as const
export type SetAsideView = (typeof VIEWS)[number]

/** The records of a view page by page, kept up to date while shown. */
export function useRecords(view: Ref<SetAsideView>) {
  const rows = shallowRef<QuarantineRow[]>([])
  const hasMore = ref(false)
  const loaded = ref(false)
  const loadingMore = ref(false)
  const error = ref<Told | null>(null)
  const page = (after?: number): Promise<QuarantinePage> => calls.quarantine({ after, mine: view.value === 'mine' })

  /** Asks for as many as are shown, so that nobody loses their place. */
  async function load(): Promise<void> {
    const asked = view.value
    try {
      let last = await page()
      const all = [...last.records]
      while (all.length < rows.value.length && last.more) {
        last = await page(all[all.length - 1]?.id)
        all.push(...last.records)
      }
      if (asked !== view.value) return
      rows.value = all
      hasMore.value = last.more
      loaded.value = true
      error.value = null
    } catch (thrown) {
      if (asked === view.value) error.value = toldOf(thrown)
    }
  }

  async function more(): Promise<void> {
    if (!hasMore.value || loadingMore.value) return
    loadingMore.value = true
    const asked = view.value
    try {
      const next = await page(rows.value[rows.value.length - 1]?.id)
      if (asked !== view.value) return
      rows.value = [...rows.value, ...next.records]
      hasMore.value = next.more
    } catch (thrown) {
      error.value = toldOf(thrown)
    } finally {
      loadingMore.value = false
    }
  }

  function restart(): void {
    rows.value = []
    hasMore.value = false
    loaded.value = false
    void load()
  }

  watch(view, restart, { immediate: true })
  onLive('quarantine', calmly(load))
  return { rows, hasMore, loaded, loadingMore, error, load, more }
}
