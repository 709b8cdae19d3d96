// One list of work orders as the hub orders it, kept up to date while shown.
import { ref, shallowRef, watch, type Ref } from 'vue'
import type { Told } from '@/shared/errors'
import * as calls from './calls'
import { calmly, onLive } from './live'
import { toldOf } from './problems'
import type { ViewName, WorkOrder } from './types'

const PAGE = 100
/** How long a line that came while looking stays marked. */
const FRESH_MS = 30_000

export function useWorkOrders(view: Ref<ViewName>) {
  const rows = shallowRef<WorkOrder[]>([])
  const next = ref<string | null>(null)
  const fresh = ref<ReadonlySet<string>>(new Set())
  const loaded = ref(false)
  const loadingMore = ref(false)
  const error = ref<Told | null>(null)
  const marked = new Map<string, number>()

  /** Asks for as many as are shown, so that nobody loses their place. */
  async function load(): Promise<void> {
    const asked = view.value
    try {
      let page = await calls.workOrders(asked, undefined, PAGE)
      const all = [...page.rows]
      while (all.length < rows.value.length && page.next !== null) {
        page = await calls.workOrders(asked, page.next, PAGE)
        all.push(...page.rows)
      }
      if (asked !== view.value) return
      if (loaded.value) mark(all)
      rows.value = all
      next.value = page.next
      loaded.value = true
      error.value = null
    } catch (thrown) {
      if (asked === view.value) error.value = toldOf(thrown)
    }
  }

  async function more(): Promise<void> {
    if (next.value === null || loadingMore.value) return
    loadingMore.value = true
    const asked = view.value
    try {
      const page = await calls.workOrders(asked, next.value, PAGE)
      if (asked !== view.value) return
      const known = new Set(rows.value.map((row) => row.id))
      rows.value = [...rows.value, ...page.rows.filter((row) => !known.has(row.id))]
      next.value = page.next
    } catch (thrown) {
      error.value = toldOf(thrown)
    } finally {
      loadingMore.value = false
    }
  }

  function mark(all: WorkOrder[]): void {
    const now = Date.now()
    const known = new Set(rows.value.map((row) => row.id))
    for (const [id, since] of marked) if (now - since > FRESH_MS) marked.delete(id)
    for (const row of all) if (!known.has(row.id)) marked.set(row.id, now)
    fresh.value = new Set(marked.keys())
  }

  function restart(): void {
    rows.value = []
    next.value = null
    loaded.value = false
    marked.clear()
    fresh.value = new Set()
    void load()
  }

  watch(view, restart, { immediate: true })
  onLive('work_orders', calmly(load))

  return { rows, next, fresh, loaded, loadingMore, error, load, more }
}
