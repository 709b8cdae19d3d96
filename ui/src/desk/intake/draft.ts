// The form's journal: every change goes to the disk as fast as the disk takes
// it, and what was typed before a crash comes back.
import { ref, type Ref } from 'vue'
import { host, toldOf } from '../host'
import type { Told } from '@/shared/errors'
import { emptySheet, isEmptyForm, toForm, toSheet } from '@/shared/form'
import { latestWins } from '@/shared/latest'
import type { DraftView, Sheet } from '@/shared/types'

/** An empty form standing open longer than this is not yet the next customer's. */
const STALE_MS = 60_000
const RETRY_MS = 3_000

export interface Draft {
  current: Ref<DraftView | null>
  /** When the last change was safe on the disk. */
  savedAt: Ref<string | null>
  /** When what was restored had last been typed at; null for a new form. */
  restoredAt: Ref<string | null>
  /** Forms begun and left. */
  others: Ref<DraftView[]>
  error: Ref<Told | null>
  load(): Promise<void>
  changed(): void
  /** An empty form; what stands in the present one stays among the others. */
  begin(): Promise<void>
  turnTo(draft: DraftView): Promise<void>
  discard(): Promise<void>
  /** Waits until everything typed is on the disk. */
  settle(): Promise<void>
  /** The form was recorded: its draft is gone. */
  recorded(): void
}

export function useDraft(sheet: Sheet): Draft {
  const current = ref<DraftView | null>(null)
  const savedAt = ref<string | null>(null)
  const restoredAt = ref<string | null>(null)
  const others = ref<DraftView[]>([])
  const error = ref<Told | null>(null)
  let written = JSON.stringify(sheet)
  let untouchedSince = Date.now()
  let retry: ReturnType<typeof setTimeout> | undefined

  async function open(): Promise<DraftView> {
    const opened = await host.draftOpen()
    untouchedSince = Date.now()
    current.value = opened
    return opened
  }

  async function ready(): Promise<DraftView> {
    const draft = current.value
    if (draft === null) return open()
    const firstWord = savedAt.value === null && restoredAt.value === null
    if (firstWord && Date.now() - untouchedSince > STALE_MS) {
      // The arrival counts from here, not from when the last customer left.
      await host.draftDiscard(draft.id)
      return open()
    }
    return draft
  }

  const journal = latestWins<Sheet>(
    async (snapshot) => {
      clearTimeout(retry)
      const draft = await ready()
      savedAt.value = await host.draftSave(draft.id, snapshot)
      error.value = null
    },
    (thrown) => {
      error.value = toldOf(thrown)
      retry = setTimeout(() => journal.push(snapshotOf(sheet)), RETRY_MS)
    },
  )

  function show(next: Sheet): void {
    Object.assign(sheet.form, next.form)
    Object.assign(sheet.chosen, next.chosen)
    written = JSON.stringify(sheet)
    savedAt.value = null
    restoredAt.value = null
    clearTimeout(retry)
  }

  function restore(draft: DraftView): void {
    show(toSheet(draft))
    current.value = draft
    restoredAt.value = draft.changed_at
  }

  async function setAside(): Promise<void> {
    await journal.idle()
    const draft = current.value
    if (draft === null) return
    current.value = null
    if (isEmptyForm(sheet.form)) await host.draftDiscard(draft.id)
    else {
      const { form: intake, chosen } = snapshotOf(sheet)
      const changed_at = savedAt.value ?? draft.changed_at
      others.value = [{ ...draft, changed_at, intake, chosen }, ...others.value]
    }
  }

  return {
    current,
    savedAt,
    restoredAt,
    others,
    error,
    async load() {
      const found = await host.drafts()
      const begun = found.filter((draft) => !isEmptyForm(toForm(draft.intake)))
      for (const draft of found) {
        if (!begun.includes(draft)) await host.draftDiscard(draft.id)
      }
      begun.sort((a, b) => Date.parse(b.changed_at) - Date.parse(a.changed_at))
      const [latest, ...rest] = begun
      others.value = rest
      if (latest === undefined) await open()
      else restore(latest)
    },
    changed() {
      const now = JSON.stringify(sheet)
      if (now === written) return
      written = now
      journal.push(snapshotOf(sheet))
    },
    async begin() {
      await setAside()
      show(emptySheet())
      await open()
    },
    async turnTo(draft) {
      await setAside()
      others.value = others.value.filter((other) => other.id !== draft.id)
      restore(draft)
    },
    async discard() {
      await journal.idle()
      if (current.value !== null) await host.draftDiscard(current.value.id)
      current.value = null
      show(emptySheet())
      await open()
    },
    settle: () => journal.idle(),
    recorded() {
      current.value = null
      show(emptySheet())
    },
  }
}

function snapshotOf(sheet: Sheet): Sheet {
  return JSON.parse(JSON.stringify(sheet)) as Sheet
}
